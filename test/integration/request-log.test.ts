/** The request log that the real nginx writes: one line per request, with its times and nothing of its content. */
import { readFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { LogFormat } from '../../lib/appliance/usage/log-format.ts'
import { type LoggedRequest, parseRequest } from '../../lib/appliance/usage/requests.ts'
import { http } from '../../lib/system/http.ts'
import { sendRaw } from './support/raw-requests.ts'
import { type Edge, type Stack, startEdge, startStack } from './support/stack.ts'
import { type StandIn, startStandIn } from './support/stand-in-llama.ts'

const alice = 'key-of-alice-12345'
const canary = 'CANARY-of-a-developer'
const question = { messages: [{ role: 'user', content: canary }], max_tokens: 5 }

describe.each<LogFormat>(['text', 'json'])('as %s', format => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ ONEAPP_COPILOT_KEYS: `alice=${alice}`, ONEAPP_COPILOT_LOG_FORMAT: format })
  })
  afterAll(() => stack?.close())

  const lines = () => readFileSync(stack.accessLog, 'utf8').trimEnd().split('\n')

  /** Sends a request with Alice's key, and returns its status and line. */
  async function logged(path: string, request: Partial<Parameters<typeof http>[0]> = {}) {
    const headers = { authorization: `Bearer ${alice}`, 'user-agent': 'OpenAI/JS 6.1.0', ...request.headers }
    const sent = { ca: stack.ca, timeout: 60, ...request, headers }
    const answer = await http({ url: `${stack.url}${path}`, ...sent })
    const id = answer.headers['x-request-id']
    // nginx writes it once the connection is closed.
    const [line] = await vi.waitFor(() => {
      const found = lines().filter(text => text.includes(String(id)))
      expect(found).toHaveLength(1)
      return found
    }, 5000)
    return { answer, line: parseRequest(line ?? '') as LoggedRequest }
  }

  it('a stream has the times until its first token, its slot and its end', async () => {
    const { line } = await logged('/v1/chat/completions', { json: { ...question, stream: true } })
    expect(line).toMatchObject({
      address: '127.0.0.1',
      tenant: 'alice',
      method: 'POST',
      path: '/v1/chat/completions',
      status: 200,
      client: 'openai-sdk',
      limit: undefined,
    })
    expect(line.bytes).toBeGreaterThan(200)
    const times = [line.slotWait, line.firstByte, line.total] as number[]
    expect(times.every(Number.isFinite)).toBe(true)
    // Rounded to milliseconds, from clocks that start a little apart.
    expect(times[0]).toBeLessThan((times[1] ?? 0) + 0.01)
    expect(times[1]).toBeLessThan((times[2] ?? 0) + 0.01)
    expect(Math.abs(Date.now() - line.at)).toBeLessThan(60_000)
  })

  it('a long prompt shows in the time until the first byte, not in the wait for a slot', async () => {
    const messages = [{ role: 'user', content: 'word '.repeat(20_000) }]
    const json = { messages, max_tokens: 3, stream: true }
    const { line } = await logged('/v1/chat/completions', { json })
    expect(line.firstByte).toBeGreaterThan(3 * (line.slotWait ?? Number.NaN))
  })

  it('a whole answer has no known wait for a slot', async () => {
    const { line } = await logged('/v1/messages', { json: { ...question } })
    expect(line).toMatchObject({ path: '/v1/messages', status: 200, slotWait: undefined })
    expect(line.firstByte).toBeLessThanOrEqual(line.total)
  })

  it.each([
    ['an unknown path', `/v1/${canary}`, {}, { path: 'other', status: 404 }],
    ['a query string', `/v1/models?key=${canary}`, {}, { path: '/v1/models', status: 200 }],
    ['an unknown client', '/props', { headers: { 'user-agent': canary } }, { client: 'other' }],
    ['no client', '/props', { headers: { 'user-agent': '' } }, { client: '-' }],
    [
      'a wrong key',
      '/props',
      { headers: { authorization: `Bearer ${canary}` } },
      { status: 401, tenant: undefined },
    ],
    [
      'a forged line',
      '/props',
      { headers: { 'user-agent': 'curl/8 tenant=bob status=500' } },
      { client: 'curl', tenant: 'alice', status: 200 },
    ],
  ])('%s', async (_, path, request, expected) => {
    const { line } = await logged(path, request)
    expect(line).toMatchObject(expected)
  })

  it('has whole lines only, and nothing that a client sent', () => {
    expect(lines().map(parseRequest)).not.toContain(undefined)
    for (const secret of [canary, alice, stack.key, '?', 'word'])
      expect(lines().join('\n')).not.toContain(secret)
  })
})

describe('each status', () => {
  let edge: Edge
  let standIn: StandIn
  beforeAll(async () => {
    const site = (text: string) =>
      text
        .replace(/proxy_read_timeout \d+s/, 'proxy_read_timeout 2s')
        .replace(/client_body_timeout \d+s/, 'client_body_timeout 1s')
        .replace(/client_header_timeout \d+s/, 'client_header_timeout 1s')
        .replace(/(zone=copilot_large_requests) burst=\d+ delay=\d+/, '$1')
    edge = await startEdge({ ONEAPP_COPILOT_KEYS: `alice=${alice}` }, { site })
    standIn = await startStandIn(edge, (_, response, body) => {
      if (body.includes('break off')) response.socket?.destroy()
    })
  })
  afterAll(async () => {
    await standIn?.stop()
    await edge?.close()
  })

  const key = `Authorization: Bearer ${alice}`
  const json = 'Content-Type: application/json'
  const chunked = 'Transfer-Encoding: chunked'
  const head = (line: string, ...headers: string[]) =>
    [`${line} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, '', ''].join('\r\n')
  const chat = (body: string, ...headers: string[]) =>
    `${head('POST /v1/chat/completions', `Content-Length: ${body.length}`, ...headers)}${body}`
  const ask = (text: string) => chat(JSON.stringify({ ...question, stop: text }), key, json)
  const xs = (count: number) => 'x'.repeat(count)
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

  const server = () => ({ host: '127.0.0.1', port: edge.httpsPort, ca: edge.ca })
  /** Sends bytes, and closes the connection after a second if the server has not. */
  const sendAndGo = (bytes: string, socket: Socket) =>
    new Promise<void>(resolve => {
      socket.write(bytes)
      socket.setTimeout(1000, () => socket.destroy())
      socket
        .on('error', () => {})
        .on('close', () => resolve())
        .resume()
    })

  const send = (bytes: string) => () => sendRaw(edge, bytes)
  const chatPath = '/v1/chat/completions'
  /** Without an expected line: it must not be logged, since no limit has counted it. */
  it.each<[string, () => Promise<unknown>, Partial<LoggedRequest>?]>([
    ['400 of the filter', send(chat('{', key, json)), { tenant: 'alice', status: 400, path: chatPath }],
    ['400 of a line that is not HTTP', send(head(`G\x01T /v1/${canary}`, key))],
    ['400 of a key sent twice', send(head('GET /v1/models', key, key))],
    ['401', send(head('GET /v1/models', `x-api-key: ${canary}`)), { tenant: undefined, status: 401 }],
    ['404', send(head(`GET /${canary}`, key)), { tenant: 'alice', status: 404, path: 'other' }],
    ['401 of an unknown path', send(head(`GET /${canary}`)), { tenant: undefined, status: 401 }],
    ['405', send(head(`PUT ${chatPath}`, key)), { tenant: 'alice', status: 405, method: 'PUT' }],
    [
      '408 of half a body',
      send(head(`POST ${chatPath}`, key, json, 'Content-Length: 99') + canary),
      { tenant: 'alice', status: 408, path: chatPath },
    ],
    ['408 of half the headers', send(head('GET /v1/models', key).slice(0, -2))],
    ['413', send(chat(xs(2 ** 21), key, json)), { tenant: 'alice', status: 413, path: chatPath }],
    [
      '413 in chunks',
      send(head(`POST ${chatPath}`, key, json, chunked) + chunk(xs(2 ** 21))),
      { tenant: 'alice', status: 413, path: chatPath },
    ],
    [
      '413 where no body is expected',
      send(head('GET /v1/models', key, 'Content-Length: 2000') + xs(2000)),
      { tenant: 'alice', status: 413, path: '/v1/models' },
    ],
    ['413 without a key', send(head('GET /health', 'Content-Length: 2000') + xs(2000))],
    ['414', send(head(`GET /v1/models?${xs(9000)}`, key))],
    ['415', send(chat(canary, key)), { tenant: 'alice', status: 415, path: chatPath, limit: undefined }],
    [
      '413 of a body that is not JSON',
      send(chat(xs(2 ** 21), key)),
      { tenant: 'alice', status: 413, path: chatPath },
    ],
    ['431', send(head('GET /v1/models', key, `X-Large: ${xs(9000)}`))],
    ['plain HTTP', () => sendAndGo(head('GET /v1/models', key), connectTcp(server()))],
    [
      '499',
      () => sendAndGo(ask('wait'), connectTls(server())),
      { tenant: 'alice', status: 499, path: chatPath },
    ],
    ['502, sent as 503', send(ask('break off')), { tenant: 'alice', status: 503, path: chatPath }],
    ['504', send(ask('wait')), { tenant: 'alice', status: 504, path: chatPath }],
  ])('%s', async (_, act, expected) => {
    const size = lines().length
    await act()
    if (expected) await vi.waitFor(() => expect(lines().length).toBeGreaterThan(size), 5000)
    // For lines that should not be there.
    await setTimeout(200)
    const found = lines().slice(size)
    expect(found.map(parseRequest)).toEqual(expected ? [expect.objectContaining(expected)] : [])
    for (const secret of [canary, alice, edge.key, '?', 'xx']) expect(found.join('')).not.toContain(secret)
  })

  const lines = () => readFileSync(edge.accessLog, 'utf8').split('\n').filter(Boolean)

  it('429 beyond the rate of a key, whose refusals could fill the log', async () => {
    const size = lines().length
    const large = chat(`{${' '.repeat(100_000)}`, key, json)
    const responses = await sendRaw(edge, large.replace('Connection: close\r\n', '') + large)
    expect(responses.map(({ status }) => status)).toEqual([400, 429])
    await setTimeout(200)
    expect(
      lines()
        .slice(size)
        .map(line => parseRequest(line)?.status),
    ).toEqual([400])
  })
})
