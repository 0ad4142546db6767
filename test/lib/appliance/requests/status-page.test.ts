/** nginx's status page: its numbers, and what is no such page. */
import { expect, it } from 'vitest'
import { admittedRequests, parseStatusPage } from '../../../../lib/appliance/requests/status-page.ts'

/** As ngx_http_stub_status_module writes it. */
const page = `Active connections: 291 
server accepts handled requests
 16630948 16630947 31070465 
Reading: 16 Writing: 179 Waiting: 106 
`

it('has seven numbers', () => {
  expect(parseStatusPage(page)).toEqual({
    active: '291',
    accepted: '16630948',
    handled: '16630947',
    requests: '31070465',
    reading: '16',
    writing: '179',
    waiting: '106',
  })
})

it.each([
  ['nothing', ''],
  ['an error page', '<html><head><title>404 Not Found</title></head></html>'],
  ['one that is cut off', page.slice(0, page.indexOf('Waiting'))],
  ['one with words for numbers', page.replaceAll(/\d+/g, 'many')],
])('is not %s', (_, text) => {
  expect(parseStatusPage(text)).toBeUndefined()
})

it.each([
  ['0', 0],
  ['1', 0],
  ['3', 2],
])('with %s being answered, of which one asks for the page, %d are admitted', (writing, admitted) => {
  const found = { active: '9', accepted: '9', handled: '9', requests: '9', reading: '9', waiting: '9' }
  expect(admittedRequests({ ...found, writing })).toBe(admitted)
})
