/** A copilot that has been taken over answers a router's requests: what of that reaches clients. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { certificateFiles, paths } from '../../lib/appliance/paths.ts'
import { http } from '../../lib/system/http.ts'
import { ask, fleetKey, keys, startRouter, type TestRouter } from './support/fleet.ts'
import { type Edge, startEdge } from './support/stack.ts'

/** What it answers to clients' requests. */
let answer: { status: number; headers: OutgoingHttpHeaders }

/** What it sends on the same connection after an answer. */
let second = ''

let taken: Edge
let server: Server
let router: TestRouter
beforeAll(async () => {
  taken = await startEdge({ ONEAPP_COPILOT_FLEET_KEY: fleetKey })
  const pairFile = (name: string) => readFileSync(join(taken.root, paths.currentCertificate, name))
  const pair = { cert: pairFile(certificateFiles.chain), key: pairFile(certificateFiles.key) }
  server = createServer(pair, (request, response) => {
    const json = (value: unknown, headers: OutgoingHttpHeaders = {}, status = 200) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(value))
    if (request.url === '/ca.crt') return void response.end(taken.ca)
    if (request.url === '/health') return void json({})
    if (request.url === '/v1/models') return void json({ data: [{ id: 'sentence' }] })
    if (request.url === '/props')
      return void json(
        { total_slots: 2, default_generation_settings: { n_ctx: 4096 } },
        answer.status === 200 ? answer.headers : {},
      )
    request.resume().on('end', () => {
      json('its answer', answer.headers, answer.status)
      if (second !== '') request.socket.write(second)
    })
  })
  answer = { status: 200, headers: {} }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  router = await startRouter([`https://127.0.0.1:${port}=${new X509Certificate(taken.ca).fingerprint256}`])
})
afterAll(async () => {
  server?.close()
  server?.closeAllConnections()
  await Promise.all([router, taken].map(edge => edge?.close()))
})

/** What a router itself adds, and what describes the body. */
const expected = [
  ...['access-control-allow-origin', 'connection', 'content-length', 'content-type', 'date', 'server'],
  ...['transfer-encoding', 'x-request-id'],
]

it.each<[string, OutgoingHttpHeaders]>([
  ['redirects within nginx', { 'x-accel-redirect': '/ca.crt' }],
  ['redirects to the request itself', { 'x-accel-redirect': '@fleet' }],
  ['slows it down', { 'x-accel-limit-rate': '1', 'x-accel-buffering': 'yes' }],
  [
    'speaks to browsers',
    { 'set-cookie': 'a=b', 'clear-site-data': '"*"', refresh: '0; url=https://x.example' },
  ],
  [
    'names another server',
    { 'alt-svc': 'h2="x.example:443"', location: 'https://x.example/', link: '<https://x.example>' },
  ],
  [
    'asks for credentials',
    { 'www-authenticate': 'Basic realm="x"', 'proxy-authenticate': 'Basic realm="x"' },
  ],
  [
    'says for how long',
    { 'strict-transport-security': 'max-age=99999999', 'retry-after': '99999', expires: 'x' },
  ],
])('%s: only the body is passed on', async (_, headers) => {
  answer = { status: 200, headers }
  const authorization = `Bearer ${keys.alice}`
  const props = { url: `${router.url}/props`, ca: router.ca, headers: { authorization }, timeout: 10 }
  for (const [given, body] of [
    [await ask(router), '"its answer"'],
    [await http(props), /"total_slots":2/],
  ] as const) {
    expect(given.body).toMatch(body)
    expect(Object.keys(given.headers).filter(name => !expected.includes(name))).toEqual([])
    expect(given.headers['access-control-allow-origin']).toBe('*')
  }
})

it('sends a page: it is called JSON', async () => {
  answer = { status: 200, headers: { 'content-type': 'text/html' } }
  expect((await ask(router)).headers['content-type']).toBe('application/json')
})

it.each([301, 302, 304, 307, 308])('redirects with %d: as if it had failed', async status => {
  answer = { status, headers: { location: 'https://x.example/' } }
  const { status: given, headers } = await ask(router)
  expect({ given, location: headers.location }).toEqual({ given: 503, location: undefined })
})

it('adds a second answer to its first: the next request gets its own', async () => {
  answer = { status: 200, headers: {} }
  second = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n"second"'
  try {
    for (let index = 0; index < 5; index += 1) expect((await ask(router)).body).toBe('"its answer"')
  } finally {
    second = ''
  }
})
