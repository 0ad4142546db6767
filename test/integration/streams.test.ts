/** Streams through nginx: disconnecting frees a slot, comments keep connections alive, a reload cuts off nothing. */
import { type ClientHttp2Session, connect } from 'node:http2'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventsOf } from '../../lib/steps/services/smoke-test.ts'
import { http } from '../../lib/system/http.ts'
import { type Stack, startStack } from './support/stack.ts'
import { type OpenedStream, openStream } from './support/streams.ts'

// Two slots, and no key may take the last one: so each stream here has a key of its own.
const keys = {
  alice: 'alices-own-key-0123',
  bob: 'bobs-very-own-key-1',
  carol: 'carols-own-key-3210',
}
type StreamUser = keyof typeof keys
const contextFor = (...names: StreamUser[]) => ({
  ONEAPP_COPILOT_KEYS: names.map(name => `${name}=${keys[name]}`).join('\n'),
  ONEAPP_COPILOT_CONTEXT_SIZE: '131072',
})
const path = '/v1/chat/completions'
const headersOf = (name: StreamUser) => ({
  authorization: `Bearer ${keys[name]}`,
  'content-type': 'application/json',
})

/** Never ends by itself, so that a slot only becomes free because its client disconnects. */
const endless = { stream: true, ignore_eos: true, max_tokens: 100_000 }
const talk = { ...endless, messages: [{ role: 'user', content: 'Hi' }] }
/** Takes seconds to compute. Each starts differently, so that none is found in a cache. */
let prompts = 0
const longPrompt = (words = 30_000) => {
  prompts += 1
  return { ...endless, messages: [{ role: 'user', content: `${prompts} ${'long '.repeat(words)}` }] }
}
const brief = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 4 }

let stack: Stack
beforeAll(async () => {
  // Comments every second instead of every fifteen: prompts here take seconds, not minutes.
  stack = await startStack(contextFor('alice', 'bob', 'carol'), {
    settings: { LLAMA_ARG_SSE_PING_INTERVAL: '1' },
  })
})
afterAll(() => stack?.close())

const isComment = (text: string) => /^:/m.test(text)
const tokens = (text: string) => eventsOf(text).length

const begun: OpenedStream[] = []
afterEach(() => {
  for (const stream of begun.splice(0)) stream.disconnect()
})

const begin = async (session: ClientHttp2Session | undefined, name: StreamUser, json: unknown) => {
  const opened = await openStream({ edge: stack, session, path, headers: headersOf(name), json })
  begun.push(opened)
  return opened
}

const statusFor = async (name: StreamUser) =>
  (
    await http({
      url: `${stack.url}${path}`,
      ca: stack.ca,
      headers: headersOf(name),
      json: brief,
      timeout: 120,
    })
  ).status

describe.each(['HTTP/1.1', 'HTTP/2'])('over %s', version => {
  let session: ClientHttp2Session | undefined
  /** Retries until nginx has noticed that the clients of the previous test have disconnected. */
  const start = async (name: StreamUser, json: unknown): Promise<OpenedStream> => {
    const stream = await begin(session, name, json)
    if (stream.status !== 429) return stream
    await stream.ended
    return start(name, json)
  }
  beforeAll(() => {
    if (version === 'HTTP/2') session = connect(stack.url, { ca: stack.ca })
  })
  afterAll(() => session?.close())

  it('passes comments on while a prompt is computed', async () => {
    const stream = await start('alice', longPrompt())
    expect(stream.status).toBe(200)
    await stream.until(isComment)
    expect(tokens(stream.text())).toBe(0)
  })

  it('frees the slots of clients that disconnect while their prompts are computed', async () => {
    const leaving = await start('alice', longPrompt())
    const other = await start('bob', longPrompt())
    await leaving.until(isComment)
    expect(await statusFor('carol')).toBe(429)
    leaving.disconnect()
    await expect.poll(() => statusFor('carol'), { timeout: 60_000 }).toBe(200)
    expect(other.status).toBe(200)
  })

  it('frees the slot of a client that disconnects while another keeps getting tokens', async () => {
    const talker = await start('alice', talk)
    // Does not wait for a comment: llama-server sends none, and notices no disconnect, while other slots generate more
    // than one token per second. Real models need longer for a batch; this one notices at the end of the prompt.
    const leaving = await start('bob', longPrompt(10_000))
    const before = tokens(talker.text())
    await talker.until(text => tokens(text) > before)
    leaving.disconnect()
    await expect.poll(() => statusFor('carol'), { timeout: 60_000 }).toBe(200)
    const after = tokens(talker.text())
    await talker.until(text => tokens(text) > after)
  })
})

it('cuts off no stream when a key is revoked', async () => {
  const stream = await begin(undefined, 'alice', { ...talk, max_tokens: 3000 })
  await stream.until(text => tokens(text) > 10)
  expect(await statusFor('bob')).toBe(200)
  await stack.reload(contextFor('alice', 'carol'))
  expect(await statusFor('bob')).toBe(401)
  expect(stream.text()).not.toContain('[DONE]')
  await stream.ended
  expect(stream.text()).toContain('"finish_reason":"length"')
  expect(stream.text().trimEnd().endsWith('data: [DONE]')).toBe(true)
})
