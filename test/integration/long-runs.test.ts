/** The longest permitted text of a single repeated unit: llama-server can split it with each pre-tokenizer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { largestBody } from '../../lib/appliance/requests/size.ts'
import { GiB } from '../../lib/appliance/sizing/memory.ts'
import { http } from '../../lib/system/http.ts'
import { type BareLlama, startBareLlama, unpackedLlama } from '../mirror/bare-llama.ts'
import { bytePairModel, type PreTokenizer, preTokenizers } from '../mirror/byte-pair-model.ts'

const limit = largestBody({ contextSize: 32_768, memoryLimit: GiB })

/** At least one for each character class in the patterns, and some in no class. */
const units: Record<string, string> = {
  spaces: ' ',
  tabs: '\t',
  'line feeds': '\n',
  'no-break spaces': '\u00a0',
  'spaces before line feeds': ' \n',
  'equal signs': '=',
  'lower case': 'a',
  'upper case': 'A',
  'both cases': 'aB',
  'base pairs': 'ACGT',
  digits: '7',
  apostrophes: "'",
  words: 'ab ',
  CJK: '漢',
  Cyrillic: 'Ж',
  emoji: '😀',
  'combining marks': '\u0301',
  'letters with marks': 'e\u0301',
  'control characters': '\u0001',
}

let llama: Awaited<ReturnType<typeof unpackedLlama>>
beforeAll(async () => {
  llama = await unpackedLlama()
})
afterAll(() => llama.remove())

const start = async (preTokenizer: PreTokenizer, stack?: number) => {
  const settings = {
    LLAMA_ARG_MODEL: await bytePairModel(preTokenizer),
    LLAMA_ARG_CTX_SIZE: '4096',
    LLAMA_ARG_N_PARALLEL: '2',
    LLAMA_ARG_THREADS: '1',
    LLAMA_ARG_THREADS_HTTP: '1',
    LLAMA_ARG_FIT: 'off',
  }
  return startBareLlama(llama.program, settings, [], stack)
}

const filled = (unit: string, bytes: number) => unit.repeat(Math.floor(bytes / Buffer.byteLength(unit)))
const post = ({ socket }: BareLlama, path: string, json: object) =>
  http({ url: `http://x${path}`, socket, json, timeout: 120 })

describe.each(preTokenizers)('%s', preTokenizer => {
  let server: BareLlama
  beforeAll(async () => {
    server = await start(preTokenizer)
  })
  afterAll(() => server.stop())

  it.each(Object.entries(units))('splits a whole request of %s', async (name, unit) => {
    const begun = Date.now()
    const { status, body } = await post(server, '/tokenize', { content: filled(unit, limit) })
    console.log(`${preTokenizer}, ${limit} bytes of ${name}: ${Date.now() - begun} ms`)
    expect(status).toBe(200)
    expect(JSON.parse(body).tokens.length).toBeGreaterThan(1000)
  })

  it('counts its tokens, refuses it as a prompt, and keeps serving', async () => {
    const messages = [{ role: 'user', content: filled(' ', limit) }]
    const counted = await post(server, '/v1/messages/count_tokens', { messages, max_tokens: 1 })
    expect(counted.status).toBe(200)
    const chat = await post(server, '/v1/chat/completions', { messages, max_tokens: 1 })
    expect(JSON.parse(chat.body).error.type).toBe('exceed_context_size_error')
    const after = await post(server, '/completion', { prompt: 'Hi', n_predict: 1 })
    expect(JSON.parse(after.body).content).toBe('Hello')
  })
})

/** Proves that the tests above can fail: without the unit's LimitSTACK, llama-server crashes. */
it.each(['tekken', 'gpt-4o'] as const)('%s needs that stack: with 8 MB it crashes', async preTokenizer => {
  const server = await start(preTokenizer, 8 * 2 ** 20)
  await expect(post(server, '/tokenize', { content: filled(' ', 40_000) })).rejects.toThrow()
  await expect.poll(server.runs).toBe(false)
  await server.stop()
})
