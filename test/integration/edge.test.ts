/** The edge proxy, as seen by clients and strangers: the real nginx in front of the real llama-server. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { largestBody } from '../../lib/appliance/requests/size.ts'
import { eventsOf, smokeTest } from '../../lib/steps/services/smoke-test.ts'
import { type HttpRequest, http } from '../../lib/system/http.ts'
import { buildExecutable } from '../../packer/build/executable.ts'
import { sentence } from '../mirror/sentence-model.ts'
import { type Stack, startStack } from './support/stack.ts'

const key = 'Key-{with}$all;#sorts(of)[characters]^.*+?|<>&%~@!=,/_-'
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
const bearer = { authorization: `Bearer ${key}` }
/** Retry-After, in seconds. */
const inTurn = expect.stringMatching(/^([5-9]|1[0-5])$/)
const question = { messages: [{ role: 'user', content: 'Hi' }] }

const alice = 'alices-own-key-0123'

let stack: Stack
/** Local addresses to send from: failures are counted per network, and must not add up across tests. */
const networks = ['fd5a:7::1', 'fd5a:7::2:1', 'fd5a:7:0:1::1']
let strangers = 0
const stranger = () => {
  strangers += 1
  return `127.0.8.${strangers}`
}
beforeAll(async () => {
  for (const address of networks) execFileSync('ip', ['address', 'replace', `${address}/128`, 'dev', 'lo'])
  stack = await startStack({
    ONEAPP_COPILOT_PASSWORD: key,
    ONEAPP_COPILOT_KEYS: `alice=${alice}`,
    ONEAPP_COPILOT_CONTEXT_SIZE: '4096',
  })
})
afterAll(async () => {
  for (const address of networks) execFileSync('ip', ['address', 'delete', `${address}/128`, 'dev', 'lo'])
  await stack?.close()
})

const ask = (path: string, request: Partial<HttpRequest> = {}) =>
  http({ url: `${stack.url}${path}`, ca: stack.ca, timeout: 60, ...request })

/** Sends a request from the given local address, to one of the same family. */
const askFrom = (
  localAddress: string,
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
) =>
  new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const host = localAddress.includes(':') ? '::1' : '127.0.0.1'
    const options = {
      host,
      port: stack.httpsPort,
      path,
      method,
      headers,
      localAddress,
      ca: stack.ca,
      agent: false as const,
    }
    const sent = request(options, async response =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }),
    )
    sent.on('error', reject).end()
  })

describe('keys', () => {
  it.each([
    ['Bearer', `Bearer ${key}`],
    ['bearer in another case', `bEARER ${key}`],
    ['Bearer with two spaces', `Bearer  ${key}`],
    ['Basic', basic('copilot', key)],
    ['Basic in another case', basic('copilot', key).replace('Basic', 'BASIC')],
  ])('lets in %s', async (_, authorization) => {
    expect((await ask('/v1/models', { headers: { authorization } })).status).toBe(200)
  })

  it.each([
    ['x-api-key', { 'x-api-key': key }],
    ['Bearer, a named key', { authorization: `Bearer ${alice}` }],
    ['Basic, a named key', { authorization: basic('alice', alice) }],
    ['x-api-key, a named key', { 'x-api-key': alice }],
    ['a good key beside a wrong one', { authorization: 'Bearer wrong-wrong-wrong', 'x-api-key': key }],
  ])('lets in %s', async (_, headers) => {
    expect((await ask('/v1/models', { headers })).status).toBe(200)
  })

  const flipped = key.replace('K', 'k')
  it.each([
    ['no key', {}],
    ['an empty key', { authorization: '' }],
    ['only the scheme', { authorization: 'Bearer ' }],
    ['another key', { authorization: 'Bearer wrong-wrong-wrong' }],
    ['one letter in another case', { authorization: `Bearer ${flipped}` }],
    ['one letter in another case, Basic', { authorization: basic('copilot', flipped) }],
    ['one letter in another case, x-api-key', { 'x-api-key': flipped }],
    ['one letter more', { authorization: `Bearer ${key}x` }],
    ['one letter less', { authorization: `Bearer ${key.slice(0, -1)}` }],
    ['the key twice', { authorization: `Bearer ${key}, Bearer ${key}` }],
    ['another scheme', { authorization: `Digest ${key}` }],
    ['another user', { authorization: basic('root', key) }],
    ["a key under another's name", { authorization: basic('alice', key) }],
    ['Base64 in another case', { authorization: basic('copilot', key).toUpperCase() }],
    ['a name instead of a key', { authorization: 'Bearer alice', 'x-api-key': 'alice' }],
    ['the key in the query', {}, `/v1/models?api_key=${encodeURIComponent(key)}`],
  ])('refuses %s, in the format that clients display', async (_, headers, path = '/v1/models') => {
    const answer = await askFrom(stranger(), path, { headers })
    expect(answer.status).toBe(401)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['www-authenticate']).toMatch(/^Basic /)
    expect(JSON.parse(answer.body).error).toMatchObject({
      code: 'invalid_api_key',
      message: 'Wrong or missing API key.',
    })
  })

  it("refuses Anthropic clients in Anthropic's format", async () => {
    const answer = await askFrom(stranger(), '/v1/messages?beta=true', { method: 'POST' })
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
      401,
      { type: 'error', error: { type: 'authentication_error' } },
    ])
  })

  it.each([
    '/v1/chat/completions',
    '/slots',
    '/props',
    '//x',
    '/v1/../health/..%2fslots',
    '/health/',
    '/healthx',
    '/HEALTH',
    '/slm-copilot-denied',
  ])('are required at %s', async path => {
    expect((await askFrom(stranger(), path, { method: 'POST' })).status).toBe(401)
  })

  it.each([
    ['IPv4', '127.0.9.1', '127.0.9.1', '127.0.9.2'],
    ['IPv6', 'fd5a:7::1', 'fd5a:7::2:1', 'fd5a:7:0:1::1'],
  ])(
    'can be guessed only a few times from one %s network; a valid one is always accepted',
    async (_, one, same, other) => {
      const statuses: number[] = []
      for (let number = 0; number < 30; number += 1) statuses.push((await askFrom(one, '/v1/models')).status)
      expect(statuses.slice(0, 21)).toEqual(Array(21).fill(401))
      expect(statuses.at(-1)).toBe(429)
      const refused = await askFrom(same, '/v1/models')
      expect([refused.status, refused.headers['retry-after'], JSON.parse(refused.body).error.type]).toEqual([
        429,
        inTurn,
        'rate_limit_error',
      ])
      expect((await askFrom(one, '/v1/models', { headers: bearer })).status).toBe(200)
      expect((await askFrom(other, '/v1/models')).status).toBe(401)
    },
  )

  it('are identified by name in the access log, and never shown', async () => {
    await ask(`/v1/models?key=${encodeURIComponent(alice)}`, {
      headers: { authorization: `Bearer ${alice}` },
    })
    const log = readFileSync(stack.accessLog, 'utf8')
    expect(log).toMatch(/ tenant=alice method=GET path=\/v1\/models status=200 /)
    expect(log).toMatch(/ tenant=copilot /)
    for (const secret of [key, alice, basic('copilot', key), encodeURIComponent(alice)])
      expect(log).not.toContain(secret)
  })
})

describe('paths', () => {
  it.each([
    '/index.html',
    '/slots',
    '/slots/0?action=erase',
    '/lora-adapters',
    '/models',
    '/cors-proxy?url=http://127.0.0.1',
    '/tools',
    '/v1/stream',
    '/v1/models/',
    '/v1/v1/models',
    '/chat/completions',
    '/v1/chat/completions/',
    '/completion',
    '/nothing',
  ])('other than those that clients use do not reach llama-server: %s', async path => {
    const answer = await ask(path, { headers: bearer })
    const { error } = JSON.parse(answer.body)
    expect([answer.status, error.code]).toEqual([404, 'not_found'])
    expect(error.message).toContain(
      `${stack.url}/v1 for OpenAI clients and ${stack.url} for Anthropic clients`,
    )
  })

  it.each([
    ['/v1/chat/completions', 'GET'],
    ['/v1/models', 'POST'],
    ['/props', 'POST'],
    ['/', 'POST'],
  ] as const)('accept only their own method: not %s with %s', async (path, method) => {
    const answer = await ask(path, { headers: bearer, method })
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([405, 'method_not_allowed'])
  })

  // llama-server itself would fail with a status that no response filter can change over HTTP/1.1.
  it('say which token is not in the vocabulary', async () => {
    const answer = await ask('/detokenize', { headers: bearer, json: { tokens: [1, 32_000] } })
    expect([answer.status, JSON.parse(answer.body).error.message]).toEqual([
      400,
      'tokens[1]: expected a token from 0 to 31999, got 32000.',
    ])
    const last = await ask('/detokenize', { headers: bearer, json: { tokens: [31_999] } })
    expect(last.status).toBe(200)
  })

  it.each([
    ['/tokenize', { content: 'Hello' }, 'tokens'],
    ['/detokenize', { tokens: [1, 2] }, 'content'],
    ['/apply-template', question, 'prompt'],
    ['/v1/messages/count_tokens', question, 'input_tokens'],
    ['/v1/chat/completions/input_tokens', question, 'input_tokens'],
    ['/v1/responses/input_tokens', { input: 'Hi' }, 'input_tokens'],
    ['/v1/completions', { prompt: 'Hi', max_tokens: 4 }, 'choices'],
    ['/v1/messages', { ...question, max_tokens: 16 }, 'content'],
    ['/v1/responses', { input: 'Hi' }, 'output'],
  ])('that clients use are answered: %s', async (path, json, field) => {
    const answer = await ask(path, { headers: bearer, json })
    expect([answer.status, Object.keys(JSON.parse(answer.body))]).toEqual([
      200,
      expect.arrayContaining([field]),
    ])
  })

  it('pass on errors of llama-server', async () => {
    const json = { messages: [{ role: 'user', content: 'word '.repeat(5000) }] }
    const { status, body } = await ask('/v1/chat/completions', { headers: bearer, json })
    expect([status, JSON.parse(body).error]).toMatchObject([
      400,
      { type: 'exceed_context_size_error', code: 'context_length_exceeded', n_ctx: 4096 },
    ])
  })
})

describe('admission', () => {
  const long = { ...question, stream: true, ignore_eos: true, max_tokens: 4000 }
  /** Starts a generation that lasts until its client disconnects; resolves with the first byte. */
  const begin = (authorization: string) =>
    new Promise<{ status: number; body: string; disconnect(): void }>((resolve, reject) => {
      const headers = { authorization, 'content-type': 'application/json' }
      const options = { method: 'POST', headers, ca: stack.ca, agent: false as const }
      const sent = request(`${stack.url}/v1/chat/completions`, options, response => {
        response.once('data', chunk =>
          resolve({
            status: response.statusCode ?? 0,
            body: String(chunk),
            disconnect: () => sent.destroy(),
          }),
        )
        response.on('error', () => {})
      })
      sent.on('error', reject)
      sent.end(JSON.stringify(long))
    })

  it('is limited to the number of slots; more requests get 429 until a client disconnects', async () => {
    const first = await begin(`Bearer ${key}`)
    const second = await begin(`Bearer ${alice}`)
    expect([first.status, second.status]).toEqual([200, 200])

    const refused = await ask('/v1/chat/completions', { headers: bearer, json: question })
    expect([refused.status, refused.headers['retry-after'], JSON.parse(refused.body).error.code]).toEqual([
      429,
      inTurn,
      'rate_limit_exceeded',
    ])
    const anthropic = await ask('/v1/messages', { headers: bearer, json: { ...question, max_tokens: 4 } })
    expect([anthropic.status, JSON.parse(anthropic.body).error.type]).toEqual([429, 'rate_limit_error'])
    expect((await ask('/v1/models', { headers: bearer })).status).toBe(200)
    expect((await ask('/tokenize', { headers: bearer, json: { content: 'x' } })).status).toBe(200)

    const statusFor = async (authorization: string) =>
      (await ask('/v1/chat/completions', { headers: { authorization }, json: question })).status
    second.disconnect()
    await expect.poll(() => statusFor(`Bearer ${alice}`), { timeout: 60_000 }).toBe(200)
    first.disconnect()
    await expect.poll(() => statusFor(`Bearer ${key}`), { timeout: 60_000 }).toBe(200)
  })

  it('leaves the last slot to another key', async () => {
    const mine = await begin(`Bearer ${alice}`)
    const more = await ask('/v1/chat/completions', { headers: { 'x-api-key': alice }, json: question })
    expect(more.status).toBe(429)
    expect((await ask('/v1/chat/completions', { headers: bearer, json: question })).status).toBe(200)
    mine.disconnect()
  })
})

it('serves its health and its CA to everybody, over TLS', async () => {
  expect(JSON.parse((await ask('/health')).body)).toEqual({ status: 'ok' })
  expect((await ask('/ca.crt')).body).toBe(stack.ca)
})

it('serves over plain HTTP only the CA and a redirect to TLS', async () => {
  const plain = (path: string) => http({ url: `${stack.httpUrl}${path}`, timeout: 10 })
  expect((await plain('/ca.crt')).body).toBe(stack.ca)
  const elsewhere = await plain('/v1/models?x=1')
  expect([elsewhere.status, elsewhere.headers.location]).toEqual([308, 'https://127.0.0.1/v1/models?x=1'])
  expect((await plain('/.well-known/acme-challenge/none')).status).toBe(404)
})

it('answers a completion', async () => {
  const answer = await ask('/v1/chat/completions', { headers: bearer, json: question })
  expect(JSON.parse(answer.body).choices[0].message.content).toBe(sentence)
  expect(answer.headers['access-control-allow-origin']).toBe('*')
})

it('streams a completion', async () => {
  const answer = await ask('/v1/chat/completions', { headers: bearer, json: { ...question, stream: true } })
  const events = eventsOf(answer.body)
  const pieces = events.slice(0, -1).map(event => JSON.parse(event).choices[0]?.delta.content ?? '')
  expect(pieces.join('')).toBe(sentence)
  expect(events.at(-1)).toBe('[DONE]')
})

it('answers a preflight without a key, allowing the requested headers', async () => {
  const headers = {
    origin: 'https://editor.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,x-stainless-os',
  }
  const answer = await ask('/v1/chat/completions', { method: 'OPTIONS', headers })
  expect([answer.status, answer.body]).toEqual([204, ''])
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'authorization,x-stainless-os',
    'access-control-allow-methods': 'GET, POST, OPTIONS',
  })
})

it('accepts requests of a megabyte, and refuses larger ones with a message that states the limit', async () => {
  const limit = largestBody({ contextSize: 4096, memoryLimit: totalmem() })
  const send = (bytes: number) =>
    ask('/tokenize', { headers: bearer, json: { content: 'x '.repeat(bytes / 2) }, timeout: 120 })
  expect((await send(limit - 100)).status).toBe(200)
  const refused = await send(limit + 100)
  const { error } = JSON.parse(refused.body)
  expect([refused.status, error.code]).toEqual([413, 'request_too_large'])
  expect(error.message).toContain(`${limit} bytes`)
})

it('reveals no version or headers of llama-server, and allows other origins no credentials', async () => {
  const { headers } = await ask('/v1/models', { headers: { ...bearer, origin: 'https://evil.example' } })
  expect(headers.server).toBe('nginx')
  expect(headers['access-control-allow-origin']).toBe('*')
  expect(headers['access-control-allow-credentials']).toBeUndefined()
})

it.each([
  ['TLSv1.2', 'TLSv1.2'],
  ['TLSv1.3', 'TLSv1.3'],
  ['TLSv1.1', undefined],
] as const)('speaks %s: %s', async (version, spoken) => {
  const { port } = new URL(stack.url)
  const protocol = await new Promise<string | undefined>(resolve => {
    const socket = connect(
      {
        port: Number(port),
        host: '127.0.0.1',
        ca: stack.ca,
        minVersion: version,
        maxVersion: version,
        ciphers: 'DEFAULT@SECLEVEL=0',
      },
      () => {
        resolve(socket.getProtocol() ?? undefined)
        socket.destroy()
      },
    )
    socket.on('error', () => resolve(undefined))
  })
  expect(protocol).toBe(spoken)
})

it('speaks HTTP/2', () => {
  const out = execFileSync('curl', [
    '-s',
    '--http2',
    '--cacert',
    join(stack.root, 'etc/ssl/slm-copilot/ca.crt'),
    '-w',
    '%{http_version}',
    '-o',
    '/dev/null',
    `${stack.url}/health`,
  ])
  expect(out.toString()).toBe('2')
})

it('passes the smoke test of the executable, from outside', async () => {
  const executable = await buildExecutable()
  const keyFile = join(stack.root, 'key')
  writeFileSync(keyFile, `${key}\n`, { mode: 0o600 })
  const ca = join(stack.root, 'etc/ssl/slm-copilot/ca.crt')
  const test = (...args: string[]) =>
    execFileSync(executable, ['smoke-test', '--endpoint', ...args], { encoding: 'utf8', stdio: 'pipe' })
  const said = test(`${stack.url}/v1`, '--ca', ca, '--key-file', keyFile)
  for (const name of ['health', 'no key', 'models', 'completion', 'stream'])
    expect(said).toContain(`Smoke test: ${name}: `)
  writeFileSync(keyFile, 'another-key-12', { mode: 0o600 })
  expect(() => test(stack.url, '--ca', ca, '--key-file', keyFile)).toThrow(/models.*401/s)
  expect(() => test(stack.url, '--key-file', keyFile)).toThrow(/certificate/)
})

it('keeps no connection to llama-server open, which might close it just when it is reused', async () => {
  // proc_pid_net(5), unix: the last columns are state (03: connected), inode and path.
  const connections = () =>
    readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .filter(line => line.endsWith(` ${stack.socket}`) && / 03 +\d+ \S+$/.test(line)).length
  const json = { ...question, ignore_eos: true, max_tokens: 500 }
  const generation = ask('/v1/chat/completions', { headers: bearer, json })
  await expect.poll(connections).toBe(1)
  await generation
  await ask('/v1/models', { headers: bearer })
  await expect.poll(connections, { timeout: 3_000 }).toBe(0)
})

it('describes the model by each of its names', async () => {
  for (const name of ['sentence', 'default']) {
    const answer = await ask(`/v1/models/${name}`, { headers: bearer })
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([200, { id: name, object: 'model' }])
  }
  const answer = await ask('/v1/models/another/one', { headers: bearer })
  expect([answer.status, JSON.parse(answer.body).error]).toMatchObject([
    404,
    { code: 'model_not_found', message: expect.stringMatching(/"another\/one".*sentence/) },
  ])
})

it('says in JSON that the model is loading while llama-server is down, and recovers', async () => {
  await stack.stopLlama()
  for (const path of ['/health', '/v1/models']) {
    const answer = await ask(path, { headers: bearer })
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
    if (path === '/health') expect(JSON.parse(answer.body)).toEqual({ status: 'loading' })
    else expect(JSON.parse(answer.body).error.type).toBe('server_error')
  }
  const endpoint = { url: stack.url, ca: stack.ca, key }
  await expect(
    smokeTest({ http, log: { info: () => {}, warn: () => {}, error: () => {} } }, endpoint, 'light'),
  ).rejects.toThrow(/health.*503/)
  await stack.startLlama()
  expect((await ask('/v1/models', { headers: bearer })).status).toBe(200)
})
