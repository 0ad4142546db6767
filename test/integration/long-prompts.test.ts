/** While a long prompt is computed, other clients keep getting tokens: one with each batch. */
import type { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Stack, startStack } from './support/stack.ts'
import { generate } from './support/streams.ts'

const promptTokens = 10_000
const keys = { alice: 'alices-own-key-0123', bob: 'bobs-very-own-key-1' }

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ ONEAPP_COPILOT_KEYS: `alice=${keys.alice}\nbob=${keys.bob}` })
})
afterAll(() => stack?.close())

const path = '/v1/chat/completions'
const chat = (content: string, more: object) => ({ messages: [{ role: 'user', content }], ...more })

it('lets tokens through between the first and the last batch of a prompt', async () => {
  const talk = chat('Hi', { ignore_eos: true, max_tokens: 30_000 })
  const talker = await generate(stack, keys.alice, path, talk)
  await talker.untilEvents(5)

  /** The number of tokens that the talker had each time llama-server reported a batch. */
  const counts: number[] = []
  async function* counted(answer: Readable): AsyncIterable<Buffer> {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      if (piece.includes('prompt_progress')) counts.push(talker.events().length)
      yield piece
    }
  }
  const prompt = chat('word '.repeat(promptTokens), { return_progress: true, max_tokens: 1 })
  const long = await generate(stack, keys.bob, path, prompt, counted)
  await long.ended
  talker.disconnect()

  const between = (counts.at(-1) ?? 0) - (counts[0] ?? 0)
  console.log(
    `${between} tokens of another client between ${counts.length} batches of ${promptTokens} tokens`,
  )
  expect(JSON.parse(long.events()[0] ?? '').prompt_progress.total).toBeGreaterThan(promptTokens)
  // Nearly one for each batch: the order across the two connections is not exact.
  expect(counts.length).toBeGreaterThan(10)
  expect(between).toBeGreaterThan(counts.length * 0.75)
})
