/** The only door, as clients and strangers find it: the real nginx before the real llama-server. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventsOf, smokeTest } from '../../lib/steps/smoke-test.ts'
import { type HttpRequest, http } from '../../lib/system/http.ts'
import { buildExecutable } from '../../packer/executable.ts'
import { sentence } from '../mirror/sentence-model.ts'
import { type Stack, startStack } from './stack.ts'

const key = 'Key-{with}$all;#sorts(of)[characters]^.*+?|<>&%~@!=,/_-'
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
const bearer = { authorization: `Bearer ${key}` }
const question = { messages: [{ role: 'user', content: 'Hi' }] }

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ ONEAPP_COPILOT_PASSWORD: key, ONEAPP_COPILOT_CONTEXT_SIZE: '4096' })
})
afterAll(() => stack?.close())

const ask = (path: string, request: Partial<HttpRequest> = {}) =>
  http({ url: `${stack.url}${path}`, ca: stack.ca, timeout: 60, ...request })

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

  const flipped = key.replace('K', 'k')
  it.each([
    ['no key', {}],
    ['an empty one', { authorization: '' }],
    ['the scheme alone', { authorization: 'Bearer ' }],
    ['another key', { authorization: 'Bearer wrong-wrong-wrong' }],
    ['one letter in another case', { authorization: `Bearer ${flipped}` }],
    ['one letter in another case, Basic', { authorization: basic('copilot', flipped) }],
    ['a letter too many', { authorization: `Bearer ${key}x` }],
    ['a letter too few', { authorization: `Bearer ${key.slice(0, -1)}` }],
    ['a key after a key', { authorization: `Bearer ${key}, Bearer ${key}` }],
    ['another scheme', { authorization: `Digest ${key}` }],
    ['another user', { authorization: basic('root', key) }],
    ['Base64 in another case', { authorization: basic('copilot', key).toUpperCase() }],
    ['the key as a query', {}, `/v1/models?api_key=${encodeURIComponent(key)}`],
  ])('refuses %s, in the shape that clients show', async (_, headers, path = '/v1/models') => {
    const answer = await ask(path, { headers })
    expect(answer.status).toBe(401)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['www-authenticate']).toMatch(/^Basic /)
    expect(JSON.parse(answer.body).error).toMatchObject({ code: 'invalid_api_key', message: /API key/ })
  })

  it.each([
    '/v1/chat/completions',
    '/slots',
    '/props',
    '/',
    '/v1/../health/..%2fslots',
    '/health/',
    '/healthx',
  ])('are asked for at %s', async path => {
    expect((await ask(path, { method: 'POST', json: question })).status).toBe(401)
  })
})

it('tells its health and its CA to everybody, over TLS', async () => {
  expect(JSON.parse((await ask('/health')).body)).toEqual({ status: 'ok' })
  expect((await ask('/ca.crt')).body).toBe(stack.ca)
})

it('serves over plain HTTP just the CA and a way to TLS', async () => {
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

it('passes a stream on as it is made', async () => {
  const answer = await ask('/v1/chat/completions', { headers: bearer, json: { ...question, stream: true } })
  const pieces = eventsOf(answer.body)
    .slice(0, -1)
    .map(event => JSON.parse(event).choices[0]?.delta.content ?? '')
  expect(pieces.join('')).toBe(sentence)
  expect(answer.arrivals.length).toBeGreaterThan(5)
})

it('answers a preflight without a key, with the headers that were asked for', async () => {
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

it('takes prompts of megabytes, and refuses more than 64 MB in JSON', async () => {
  const send = (bytes: number) =>
    ask('/tokenize', { headers: bearer, json: { content: 'x'.repeat(bytes) }, timeout: 120 })
  expect((await send(4 << 20)).status).toBe(200)
  const refused = await send((64 << 20) + 1)
  expect([refused.status, JSON.parse(refused.body).error.code]).toEqual([413, 'request_too_large'])
})

it('gives no version, no header of llama-server, and no credentials to other origins', async () => {
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

it('says in JSON that the model is loading while llama-server is away, and heals', async () => {
  await stack.stopLlama()
  for (const path of ['/health', '/v1/models']) {
    const answer = await ask(path, { headers: bearer })
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
    expect(JSON.parse(answer.body).error.type).toBe('server_error')
  }
  const endpoint = { url: stack.url, ca: stack.ca, key }
  await expect(
    smokeTest(endpoint, 'light', { info: () => {}, warn: () => {}, error: () => {} }),
  ).rejects.toThrow(/health.*503/)
  await stack.startLlama()
  expect((await ask('/v1/models', { headers: bearer })).status).toBe(200)
})
