/** Lines of the request log: both forms, and whatever else may be in such a file. */
import { describe, expect, it } from 'vitest'
import { isOwn, parseRequest } from '../../../../lib/appliance/usage/requests.ts'
import { jsonLine, textLine } from '../../../support/request-lines.ts'

const parsed = {
  at: Date.parse('2026-02-14T09:30:00Z'),
  day: '2026-02-14',
  id: '0123456789abcdef0123456789abcdef',
  address: '192.0.2.1',
  tenant: 'alice',
  method: 'POST',
  path: '/v1/chat/completions',
  status: 200,
  bytes: 1234,
  firstByte: 0.25,
  total: 1.5,
  slotWait: 0.01,
  client: 'opencode',
  limit: undefined,
}

describe.each([
  ['text', textLine],
  ['json', jsonLine],
])('%s', (_, line) => {
  it('has everything that is known of a request', () => {
    expect(parseRequest(line({}))).toEqual(parsed)
  })

  it.each([
    ['no key', { tenant: '-', status: 401 }, { tenant: undefined, status: 401 }],
    [
      'no answer from llama-server',
      { first_byte: undefined, slot_wait: undefined },
      { firstByte: undefined, slotWait: undefined },
    ],
    ['a limit', { status: 429, limit: 'slots' }, { status: 429, limit: 'slots' }],
    ['an unknown limit', { status: 429, limit: 'constructor' }, { status: 429, limit: undefined }],
    [
      'another time zone',
      { time: '2026-02-14T23:30:00-10:00' },
      { at: Date.parse('2026-02-15T09:30:00Z'), day: '2026-02-14' },
    ],
    ['IPv6', { address: '2001:db8::1' }, { address: '2001:db8::1' }],
  ])('%s', (_, changes, expected) => {
    expect(parseRequest(line(changes))).toMatchObject(expected)
  })

  it.each([
    ['no time', { time: 'yesterday' }],
    ['no status', { status: undefined }],
    ['a status that is not a number', { status: 'x' }],
    ['no bytes', { bytes: undefined }],
    ['no total', { total: undefined }],
  ])('is skipped with %s', (_, changes) => {
    expect(parseRequest(line(changes))).toBeUndefined()
  })

  it.each([0.5, 0.9, 0.99])('is skipped if it is cut off at %d of its length', share => {
    const whole = line({})
    expect(parseRequest(whole.slice(0, share * whole.length))).toBeUndefined()
  })
})

it('skips JSON without a field of ours', () => {
  const { client: _, ...values } = JSON.parse(jsonLine({}))
  expect(parseRequest(JSON.stringify(values))).toBeUndefined()
})

it.each([
  '',
  ' ',
  '{}',
  '{',
  '[]',
  'null',
  '\0\0\0',
  '192.0.2.1 alice [2026-02-14T09:30:00Z] "GET /" 200 5 0.1 s',
])('skips %j', line => {
  expect(parseRequest(line)).toBeUndefined()
})

it.each([
  ['127.0.0.1', 'slm-copilot', true],
  ['127.0.0.1', 'curl', false],
  ['192.0.2.1', 'slm-copilot', false],
])('from %s with %s: own %s', (address, client, own) => {
  expect(isOwn({ address, client })).toBe(own)
})
