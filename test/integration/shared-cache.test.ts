/** Keys that share a cache: no answer reveals what was cached, streamed or not, and answers are otherwise unchanged. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { routes } from '../../lib/appliance/requests/api.ts'
import { type HttpAnswer, http } from '../../lib/system/http.ts'
import { contextModel } from '../mirror/context-model.ts'
import { type Stack, startStack } from './support/stack.ts'

const keys = { alice: 'alice-has-this-key', bob: 'bob-has-another-key' }
type CacheUser = keyof typeof keys

let stack: Stack
beforeAll(async () => {
  stack = await startStack(
    {
      ONEAPP_COPILOT_KEYS: `alice=${keys.alice} bob=${keys.bob}`,
      ONEAPP_COPILOT_SHARED_CACHE: 'YES',
      ONEAPP_COPILOT_CONTEXT_SIZE: '32768',
    },
    { settings: { LLAMA_ARG_MODEL: await contextModel() } },
  )
})
afterAll(() => stack.close())

const ask = (name: CacheUser, path: string, json: object): Promise<HttpAnswer> =>
  http({
    url: `${stack.url}${path}`,
    ca: stack.ca,
    headers: { authorization: `Bearer ${keys[name]}` },
    json,
    timeout: 60,
  })
/** Asks llama-server directly, behind both proxies. */
const askLlama = (path: string, json: object) =>
  http({ url: `http://x${path}`, socket: stack.socket, json, timeout: 60 })

const secret = `The password is ${'swordfish and seven tall ships, '.repeat(20)}.`
const chat = [{ role: 'user', content: secret }]

/** Path and request: all paths that generate, and all kinds of answers. */
const requests: [string, object][] = [
  ['/v1/chat/completions', { messages: chat, max_tokens: 4 }],
  [
    '/v1/chat/completions',
    { messages: chat, max_tokens: 4, stream: true, stream_options: { include_usage: true } },
  ],
  ['/v1/chat/completions', { messages: chat, max_tokens: 4, stream: true, return_progress: true }],
  ['/v1/completions', { prompt: secret, max_tokens: 4 }],
  ['/v1/completions', { prompt: secret, max_tokens: 4, stream: true, return_progress: true }],
  ['/v1/messages', { messages: chat, max_tokens: 4 }],
  ['/v1/messages', { messages: chat, max_tokens: 4, stream: true }],
  ['/v1/responses', { input: secret, max_output_tokens: 4 }],
  ['/v1/responses', { input: secret, max_output_tokens: 4, stream: true }],
]

it("does not reveal them in the metrics, which each key may read before and after another's request", async () => {
  const metrics = async () => {
    const headers = { authorization: `Bearer ${keys.bob}` }
    return (await http({ url: `${stack.url}/metrics`, ca: stack.ca, headers, timeout: 30 })).body
  }
  const before = await metrics()
  await ask('alice', '/v1/completions', { prompt: secret, max_tokens: 4 })
  await ask('bob', '/v1/completions', { prompt: secret, max_tokens: 4 })
  const after = await metrics()
  const direct = await http({ url: 'http://x/metrics', socket: stack.socket, timeout: 30 })
  expect(direct.body).toMatch(/^llamacpp:prompt_tokens_cached_total [1-9]/m)
  for (const page of [before, after]) {
    expect(page).toMatch(/^llamacpp:tokens_predicted_total /m)
    expect(page).not.toMatch(/llamacpp:(prompt|n_decode)/)
  }
})

it('covers every path that generates, except /infill, whose tokens are not in the vocabulary', () => {
  const generating = routes.filter(({ isGeneration }) => isGeneration).map(({ path }) => path)
  expect(new Set(requests.map(([path]) => path))).toEqual(
    new Set(generating.filter(path => path !== '/infill')),
  )
})

/** All counts and times of a prompt in an answer. */
const counts = (body: string) =>
  [
    ...body.matchAll(
      /"(cached_tokens|cache_read_input_tokens|cache_n|cache|prompt_ms|prompt_per_token_ms|prompt_per_second|time_ms)":([\d.e+-]+)/g,
    ),
  ].map(([, name, value]) => ({ name, value: Number(value) }))

/** The prompt sizes in an answer, which must not depend on what was cached. */
const sizes = (body: string) =>
  [...body.matchAll(/"(prompt_n|input_tokens|prompt_tokens|total)":(\d+)/g)].map(([, , value]) =>
    Number(value),
  )

describe('reports the same to the first client as to one that repeats the request', () => {
  it.each(requests)('%s, $stream', async (path, request) => {
    await stack.stopLlama()
    await stack.startLlama()
    const first = await ask('alice', path, request)
    const second = await ask('bob', path, request)
    expect([first.status, second.status]).toEqual([200, 200])
    expect(counts(second.body).length).toBeGreaterThan(0)
    for (const { body } of [first, second])
      for (const count of counts(body)) expect(count).toEqual({ name: count.name, value: 0 })
    expect(sizes(second.body)).toEqual(sizes(first.body))
    // llama-server itself reports a count: there was something to hide.
    const behind = await askLlama(path, request)
    expect(Math.max(...counts(behind.body).map(({ value }) => value))).toBeGreaterThan(100)
  })
})

it('completion, too, reports the same to the first client as to one that repeats the request', async () => {
  const context = { ONEAPP_COPILOT_KEYS: `alice=${keys.alice}`, ONEAPP_COPILOT_SHARED_CACHE: 'YES' }
  const small = await startStack(context, { companions: ['infill'] })
  try {
    const request = { input_prefix: '# a line of code\n'.repeat(60), input_suffix: '\n', n_predict: 4 }
    const fill = () =>
      http({
        url: `${small.url}/infill`,
        ca: small.ca,
        headers: { authorization: `Bearer ${keys.alice}` },
        json: request,
        timeout: 60,
      })
    const [first, second] = [await fill(), await fill()]
    expect([first.status, second.status]).toEqual([200, 200])
    expect(counts(second.body).length).toBeGreaterThan(0)
    for (const { body } of [first, second])
      for (const count of counts(body)) expect(count).toEqual({ name: count.name, value: 0 })
    expect(sizes(second.body)).toEqual(sizes(first.body))
  } finally {
    await small.close()
  }
})

describe('an answer is otherwise unchanged', () => {
  it('streamed piece by piece', async () => {
    const { arrivals } = await ask('alice', '/v1/chat/completions', {
      messages: chat,
      max_tokens: 200,
      stream: true,
    })
    expect(arrivals.length).toBeGreaterThan(20)
  })

  it('complete, with the right Content-Length', async () => {
    const { headers, body } = await ask('alice', '/v1/completions', { prompt: 'Hi', max_tokens: 2000 })
    expect(headers['content-length'] ?? String(Buffer.byteLength(body))).toBe(String(Buffer.byteLength(body)))
    expect(JSON.parse(body).usage.completion_tokens).toBeGreaterThan(0)
  })

  it('errors, and paths that generate nothing', async () => {
    const tooLong = await ask('alice', '/v1/completions', { prompt: 'word '.repeat(60_000) })
    expect(tooLong.status).toBe(400)
    expect(JSON.parse(tooLong.body).error.n_ctx).toBe(32768)
    const tokens = await ask('alice', '/tokenize', { content: 'one "cache_n":5 two' })
    expect(JSON.parse(tokens.body).tokens.length).toBeGreaterThan(1)
  })
})

/** The resident memory of the admission proxy's worker, in bytes. */
const resident = () => {
  const [worker] = stack.admissionWorkers()
  return Number(readFileSync(`/proc/${worker}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB/m)?.[1]) * 1024
}

it('a long stream takes little memory of the admission proxy', async () => {
  const before = resident()
  const tokens = 2000
  let most = 0
  const timer = setInterval(() => {
    most = Math.max(most, resident())
  }, 50)
  const { body } = await ask('alice', '/v1/completions', {
    prompt: 'Hi',
    max_tokens: tokens,
    ignore_eos: true,
    stream: true,
  })
  clearInterval(timer)
  const events = body.split('\n\n').length
  console.log({
    events,
    bytes: body.length,
    perEvent: Math.round((most - before) / events),
    after: resident() - before,
  })
  expect((most - before) / events).toBeLessThan(2048)
})
