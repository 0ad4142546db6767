/** Errors: the right status, in the format of the client's API, with a helpful message; and no secrets in logs. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { parseResponses, sendRaw } from './support/raw-requests.ts'
import { type Edge, startEdge } from './support/stack.ts'
import { type StandIn, startStandIn } from './support/stand-in-llama.ts'

const key = 'The-only-key_which/opens+this~door'
const canary = 'CANARY7f3a'
const question = JSON.stringify({ messages: [{ role: 'user', content: `Hi ${canary}` }], max_tokens: 4 })

let edge: Edge
let standIn: StandIn
/** The stand-in's response: none if undefined; with status 0 it closes the connection. */
let answer: (() => { status: number; body: string }) | undefined
let reasonFile: string

beforeAll(async () => {
  reasonFile = join('/tmp', `slm-copilot-reason-${process.pid}`)
  edge = await startEdge(
    { ONEAPP_COPILOT_PASSWORD: key },
    {
      // Seconds in place of hours.
      site: text => text.replace(/proxy_read_timeout \d+s/, 'proxy_read_timeout 2s'),
      program: text => text.replaceAll(paths.unavailableReason, reasonFile),
    },
  )
  standIn = await startStandIn(edge, (_, response) => {
    const given = answer?.()
    if (given === undefined) return
    if (given.status === 0) response.socket?.destroy()
    else response.writeHead(given.status, { 'content-type': 'application/json' }).end(given.body)
  })
})
afterAll(async () => {
  await standIn?.stop()
  rmSync(reasonFile, { force: true })
  await edge?.close()
})

const bearer = `Authorization: Bearer ${key}`
const json = 'Content-Type: application/json'
type RawRequest = { path?: string; method?: string; lines?: string[]; body?: string | Buffer }

function bytesOf({
  path = '/v1/chat/completions',
  method = 'POST',
  lines = [bearer, json],
  body = question,
}: RawRequest) {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: copilot.example', 'Connection: close', ...lines]
  const length = method === 'POST' ? [`Content-Length: ${Buffer.byteLength(body)}`] : []
  return Buffer.concat([
    Buffer.from([...head, ...length, '', ''].join('\r\n'), 'latin1'),
    Buffer.from(method === 'POST' ? body : ''),
  ])
}

/** Sends a request on a new connection, and returns the last response on it. */
async function ask(request: RawRequest) {
  const last = (await sendRaw(edge, bytesOf(request), '127.0.7.1')).at(-1)
  return {
    status: last?.status ?? 0,
    type: last?.headers['content-type'],
    retryAfter: last?.headers['retry-after'],
    body: JSON.parse(last?.body || 'null'),
  }
}

const expectGoodRequestToPass = async () => {
  answer = () => ({ status: 200, body: '{"good":true}' })
  expect(await ask({})).toMatchObject({ status: 200, body: { good: true } })
}

const xs = (count: number) => 'x'.repeat(count)
/** A request, the status of its response, and its message. */
const table: [string, RawRequest, number, RegExp][] = [
  [
    'gzip',
    { lines: [bearer, json, 'Content-Encoding: gzip'], body: gzipSync(question) },
    415,
    /Content-Encoding "gzip".*uncompressed/,
  ],
  [
    'deflate',
    { lines: [bearer, json, 'Content-Encoding: deflate'], body: deflateSync(question) },
    415,
    /"deflate"/,
  ],
  ['br', { lines: [bearer, json, 'Content-Encoding: br'] }, 415, /"br"/],
  ['several encodings', { lines: [bearer, json, 'Content-Encoding: gzip, gzip'] }, 415, /"gzip, gzip"/],
  [
    'a form',
    { lines: [bearer, 'Content-Type: application/x-www-form-urlencoded'] },
    415,
    /must be application\/json, got "application\/x-www-form-urlencoded/,
  ],
  ['a plain-text body', { lines: [bearer, 'Content-Type: text/plain;charset=UTF-8'] }, 415, /text\/plain/],
  ['several parts', { lines: [bearer, 'Content-Type: multipart/form-data; boundary=x'] }, 415, /multipart/],
  ['no type', { lines: [bearer] }, 415, /Content-Type must be application\/json, got none/],
  [
    'a type that only starts like JSON',
    { lines: [bearer, 'Content-Type: application/jsonp'] },
    415,
    /application\/jsonp/,
  ],
  ['two keys', { lines: [bearer, bearer, json] }, 400, /no header is sent twice/],
  ['an oversized header', { lines: [bearer, json, `X-Large: ${xs(9000)}`] }, 431, /headers are too large/],
  [
    'too many headers',
    { lines: [bearer, json, ...Array.from({ length: 40 }, (_, i) => `X-${i}: ${xs(1000)}`)] },
    431,
    /headers are too large/,
  ],
  ['an overlong URL', { path: `/v1/chat/completions?${xs(9000)}` }, 414, /URL exceeds/],
  ['an invalid method', { method: 'G\x01T' }, 400, /not valid HTTP/],
  [
    'an unknown transfer coding',
    { lines: [bearer, json, 'Transfer-Encoding: gzip'], body: '' },
    400,
    /not valid HTTP/,
  ],
  [
    'both a length and chunks',
    { lines: [bearer, json, 'Transfer-Encoding: chunked'], body: xs(5000) },
    400,
    /not valid HTTP/,
  ],
  ['an unknown HTTP version', { path: '/v1/models HTTP/3.7 ' }, 400, /not valid HTTP/],
  ['not JSON', { body: '{' }, 400, /Invalid JSON/],
  ['not UTF-8', { body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]) }, 400, /UTF-8/],
  ['no body', { body: '' }, 400, /Invalid JSON/],
  [
    'too large',
    { body: `{"messages":"${xs(1 << 20)}"}` },
    413,
    /exceeds 1\.0 MB \(1048576 bytes\).*context length of 32768 tokens/,
  ],
  ['another method', { method: 'GET' }, 405, /accepts POST, not GET/],
  ['the wrong method for a path that is read', { path: '/v1/models' }, 405, /accepts GET, not POST/],
  [
    'the prefix twice',
    { path: '/v1/v1/chat/completions' },
    404,
    /base URL is https:\/\/copilot\.example\/v1 for OpenAI/,
  ],
  ['no prefix', { path: '/chat/completions' }, 404, /"\/chat\/completions".*base URL/],
  ['a trailing slash', { path: '/v1/chat/completions/' }, 404, /base URL/],
]

describe('errors found by nginx and the filter', () => {
  it.each(table)('%s', async (_, asked, status, message) => {
    const got = await ask(asked)
    expect([got.status, got.type]).toEqual([status, 'application/json'])
    expect(got.body.error).toMatchObject({
      message: expect.stringMatching(message),
      type: 'invalid_request_error',
      code: expect.any(String),
    })
    await expectGoodRequestToPass()
  })

  it.each(table.filter(([, { path, method }]) => path === undefined && !method?.includes('\x01')))(
    "%s, in Anthropic's format for Anthropic clients",
    async (_, asked, status, message) => {
      for (const path of ['/v1/messages', '//v1/messages?beta=true', '/v1/messages/count_tokens']) {
        const got = await ask({ ...asked, path })
        expect([got.status, got.body]).toMatchObject([
          status,
          {
            type: 'error',
            error: {
              type: expect.stringMatching(/^(invalid_request_error|request_too_large)$/),
              message: expect.stringMatching(message),
            },
          },
        ])
      }
    },
  )

  it('accepts what clients really send', async () => {
    answer = () => ({ status: 200, body: '{"good":true}' })
    for (const type of [
      'application/json',
      'application/json; charset=utf-8',
      'APPLICATION/JSON;charset=UTF-8',
    ])
      expect(
        (await ask({ lines: [bearer, `Content-Type: ${type}`, 'Content-Encoding: identity'] })).status,
      ).toBe(200)
    for (const path of [
      '//v1/chat/completions',
      '/v1/./chat/completions',
      '/v1/chat/completions?api-version=1',
    ])
      expect((await ask({ path })).status).toBe(200)
    const chunked = `${question.length.toString(16)}\r\n${question}\r\n0\r\n\r\n`
    const bytes = [
      'POST /v1/chat/completions HTTP/1.1',
      'Host: x',
      'Connection: close',
      bearer,
      json,
      'Transfer-Encoding: chunked',
      '',
      chunked,
    ].join('\r\n')
    expect((await sendRaw(edge, bytes)).map(({ status }) => status)).toEqual([200])
  })

  it('explains that the port speaks HTTPS if it receives plain HTTP', async () => {
    const received = await new Promise<string>(resolve => {
      let text = ''
      const socket = connectTcp(edge.httpsPort, '127.0.0.1', () => socket.write(bytesOf({})))
      socket.on('data', chunk => {
        text += chunk
      })
      socket.on('error', () => {}).on('close', () => resolve(text))
    })
    const [only] = parseResponses(received)
    expect([only?.status, JSON.parse(only?.body ?? '').error.message]).toEqual([
      400,
      expect.stringMatching(/HTTPS/),
    ])
  })
})

describe('whitespace around a key', () => {
  const statusOverHttp2 = (headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const session = connectHttp2(edge.url, { ca: edge.ca, strictFieldWhitespaceValidation: false })
      const sent = session.request({ ':path': '/v1/models', ...headers })
      sent.on('error', reject).on('response', ({ ':status': status }) => {
        resolve(status ?? 0)
        sent.close()
        session.close()
      })
      sent.end()
    })

  it.each([' ', '  ', '\t', ' \t '])(
    'is not part of it, over HTTP/1.1 and HTTP/2: %j after it',
    async space => {
      answer = () => ({ status: 200, body: '{"good":true}' })
      const basic = `Basic ${Buffer.from(`copilot:${key}`).toString('base64')}`
      for (const [name, value] of [
        ['authorization', `Bearer ${key}`],
        ['authorization', basic],
        ['x-api-key', key],
      ] as const) {
        expect(
          (await ask({ path: '/v1/models', method: 'GET', lines: [`${name}: ${value}${space}`] })).status,
        ).toBe(200)
        expect(await statusOverHttp2({ [name]: `${value}${space}` })).toBe(200)
      }
    },
  )
})

describe('errors of the services behind', () => {
  const anthropic = { path: '/v1/messages' }

  it("passes on llama-server's messages about a request, and its counts", async () => {
    const error = {
      code: 400,
      message: 'request (9008 tokens) exceeds the available context size (8192 tokens)',
      type: 'exceed_context_size_error',
      n_prompt_tokens: 9008,
      n_ctx: 8192,
    }
    answer = () => ({ status: 400, body: JSON.stringify({ error }) })
    expect(await ask({})).toMatchObject({
      status: 400,
      body: {
        error: {
          message: expect.stringMatching(/^This model's maximum context length is 8192 tokens\./),
          type: error.type,
          code: 'context_length_exceeded',
          n_prompt_tokens: 9008,
          n_ctx: 8192,
        },
      },
    })
    expect(await ask(anthropic)).toMatchObject({
      status: 400,
      body: {
        type: 'error',
        error: { type: 'invalid_request_error', message: 'prompt is too long: 9008 tokens > 8192 maximum' },
      },
    })
    await expectGoodRequestToPass()
  })

  it.each([
    ['/v1/chat/completions', 2],
    // More than a location takes that states no limit of its own.
    ['/v1/chat/completions', 100_000],
    ['/v1/messages', 2],
    ['/v1/messages/count_tokens', 2],
  ])(
    'finds out whether the request or the server is at fault if llama-server fails: %s, %i characters',
    async (path, length) => {
      const body = JSON.stringify({ messages: [{ role: 'user', content: xs(length) }], max_tokens: 1 })
      const failure = {
        status: 500,
        body: '{"error":{"code":500,"message":"the template threw","type":"server_error"}}',
      }
      answer = () => failure
      const got = await ask({ path, body })
      expect([got.status, got.body.error]).toMatchObject([
        400,
        { message: 'the template threw', type: 'invalid_request_error' },
      ])
      const answers = [{ status: 200, body: '{}' }, failure]
      answer = () => answers.pop() as typeof failure
      const other = await ask({ path, body })
      expect([other.status, other.body.error.message]).toEqual([
        500,
        expect.stringMatching(/while it was generating/),
      ])
    },
  )

  it('reports an error that is not JSON', async () => {
    answer = () => ({ status: 404, body: '<html>' })
    expect((await ask(anthropic)).body).toMatchObject({ type: 'error', error: { message: '<html>' } })
  })

  it('says that an answer took too long, and what to do', async () => {
    answer = undefined
    for (const path of ['/v1/chat/completions', '/v1/messages']) {
      const got = await ask({ path })
      expect([got.status, got.body.error.message]).toEqual([
        504,
        expect.stringMatching(/took longer than 9\.1 hours.*streaming/),
      ])
    }
  })

  it('distinguishes an answer that breaks off from one that never starts', async () => {
    answer = () => ({ status: 0, body: '' })
    expect(await ask({})).toMatchObject({
      status: 503,
      retryAfter: '5',
      body: { error: { message: expect.stringMatching(/stopped while it was answering/) } },
    })
    answer = () => ({ status: 503, body: '{"error":{"message":"Loading model"}}' })
    expect(await ask({})).toMatchObject({
      status: 503,
      retryAfter: '5',
      body: { error: { message: expect.stringMatching(/is loading/) } },
    })
  })

  it('states the reason if the appliance knows one', async () => {
    answer = () => ({ status: 503, body: '' })
    writeFileSync(reasonFile, 'The model does not load: out of memory.\n')
    expect((await ask({})).body.error.message).toBe('The model does not load: out of memory.')
    expect((await ask(anthropic)).body.error).toMatchObject({
      type: 'overloaded_error',
      message: expect.stringMatching(/out of memory/),
    })
    expect(await ask({ path: '/health', method: 'GET' })).toMatchObject({
      status: 503,
      body: { status: 'unavailable', reason: expect.stringMatching(/out of memory/) },
    })
    rmSync(reasonFile)
    expect((await ask({ path: '/health', method: 'GET' })).body).toEqual({ status: 'loading' })
  })
})

it('writes no key, query or body into a log, whatever the outcome', async () => {
  const withQuery = `/v1/chat/completions?key=${canary}`
  for (const [, asked] of table) await ask(asked)
  for (const path of [withQuery, `/v1/models/${canary}`, `/${canary}`, `/v1/messages?api_key=${canary}`]) {
    for (const lines of [[bearer, json], [`x-api-key: ${canary}`, json], [`Authorization: Basic ${canary}`]])
      await ask({ path, lines })
    await ask({ path, method: 'GET' })
    await ask({ path, method: canary })
  }
  for (const status of [200, 400, 429, 500, 502, 503, 504]) {
    answer = () => ({ status, body: `{"error":{"message":"${canary}"}}` })
    await ask({ path: withQuery })
  }
  answer = undefined
  await ask({ path: withQuery })
  await standIn.stop()
  expect((await ask({ path: withQuery })).status).toBe(503)
  await edge.reloadNginx()
  const logs =
    [edge.accessLog, edge.errorLog].map(path => readFileSync(path, 'utf8')).join('\n') + edge.output()
  expect(logs).toMatch(/ tenant=copilot method=POST path=\/v1\/chat\/completions status=503 /)
  for (const secret of [canary, key, Buffer.from(`copilot:${key}`).toString('base64')])
    expect(logs).not.toContain(secret)
})
