/** A client that does not read occupies a slot for a limited time only; one that reads slowly is not cut off. */
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { request } from 'node:https'
import { setTimeout } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { type Stack, startStack } from './support/stack.ts'
import { type Generation, generate } from './support/streams.ts'

// Two slots, and no key may take the last one.
const keys = { alice: 'alices-own-key-0123', bob: 'bobs-very-own-key-1', carol: 'carols-own-key-3210' }
type ReaderName = keyof typeof keys
const path = '/v1/completions'
const completion = (tokens: number) => ({
  prompt: 'Hello!',
  stream: true,
  ignore_eos: true,
  max_tokens: tokens,
})
/** Bytes to read at a time, and slightly more tokens than they contain. */
const pieceSize = 40_000
const tokensOfPiece = 170
/** Tokens: a generation that outlasts any test. */
const endless = 100_000

let stack: Stack
let session: ClientHttp2Session
let talker: Generation
async function start(context: Record<string, string>): Promise<void> {
  stack = await startStack(
    {
      ONEAPP_COPILOT_KEYS: Object.entries(keys)
        .map(([name, key]) => `${name}=${key}`)
        .join('\n'),
      ONEAPP_COPILOT_CONTEXT_SIZE: '131072',
      ...context,
    },
    // Seconds instead of minutes.
    { site: text => text.replaceAll('send_timeout 120s', 'send_timeout 8s') },
  )
  session = connect(stack.url, { ca: stack.ca })
  talker = await generate(stack, keys.bob, path, completion(endless))
}
afterEach(async () => {
  talker?.disconnect()
  session?.destroy()
  await stack?.close()
})

const headersOf = (name: ReaderName) => ({
  authorization: `Bearer ${keys[name]}`,
  'content-type': 'application/json',
})

/** Resolves with an HTTP/2 stream once its headers have arrived; its body is not read. */
async function beginHttp2(name: ReaderName, tokens: number): Promise<ClientHttp2Stream> {
  const sent = session.request({ ':method': 'POST', ':path': path, ...headersOf(name) })
  sent.end(JSON.stringify(completion(tokens)))
  const [headers] = await once(sent, 'response')
  expect(headers[':status']).toBe(200)
  return sent
}

/** Tries to get a slot for a short generation: 200 or 429. */
const statusFor = async (name: ReaderName) => {
  const one = await generate(stack, keys[name], path, completion(1))
  await one.ended
  return one.status
}
const untilFreeFor = (name: ReaderName) => expect.poll(() => statusFor(name), { timeout: 60_000 }).toBe(200)

it.each([
  {},
  // With a shared cache, the admission proxy reads each answer to its end, even if the client does not.
  { ONEAPP_COPILOT_SHARED_CACHE: 'YES' },
])('frees the slot of a client that reads nothing, over HTTP/2: %j', async context => {
  await start(context)
  const stalled = await beginHttp2('alice', endless)
  const cut = once(stalled, 'close').catch(() => undefined)
  expect(await statusFor('carol')).toBe(429)
  await untilFreeFor('carol')
  await cut
})

it('frees the slot of a client that reads nothing once its answer has ended, over HTTP/1.1', async () => {
  await start({})
  const options = { method: 'POST', headers: headersOf('alice'), ca: stack.ca, agent: false as const }
  const sent = request(`${stack.url}${path}`, options)
  sent.end(JSON.stringify(completion(2000)))
  const [stalled] = await once(sent, 'response')
  expect(stalled.statusCode).toBe(200)
  await untilFreeFor('carol')
  expect(stalled.readableDidRead).toBe(false)
  sent.destroy()
})

it('does not cut off a client that reads more slowly than tokens are generated', async () => {
  await start({ ONEAPP_COPILOT_SHARED_CACHE: 'YES' })
  const slow = await beginHttp2('alice', 3000)
  // If the stream is cut off, the check of its text fails.
  slow.on('error', () => {})
  let text = ''
  while (!slow.readableEnded && !slow.destroyed) {
    const end = talker.events().length + tokensOfPiece
    // HTTP/2's flow-control window is enlarged again once half of its 64 KB has been read.
    const piece: Buffer | null = slow.read(pieceSize) ?? slow.read()
    if (piece !== null) text += piece
    // By the time the talker has this many more tokens, so has this stream, and nginx waits for the reader.
    await talker.untilEvents(end)
    await setTimeout(300)
  }
  expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
  expect(text.length).toBeGreaterThan(500_000)
})
