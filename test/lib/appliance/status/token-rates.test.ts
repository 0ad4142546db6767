import { expect, it } from 'vitest'
import { tokenRates } from '../../../../lib/appliance/status/token-rates.ts'

/** Lines of llama-server v0.5.0. */
const prompt = (ms: number, tokens: number) =>
  `1.12.362.993 I slot print_timing: id  2 | task 35 | prompt eval time = ${ms.toFixed(2).padStart(10)} ms / ${String(tokens).padStart(5)} tokens (    1.73 ms per token,   578.14 tokens per second)\n`
const answer = (ms: number, tokens: number) => prompt(ms, tokens).replace('prompt eval', '       eval')

it.each<[string, string, ReturnType<typeof tokenRates>]>([
  ['no requests', 'listening\n', { requests: 0, prompt: null, generation: null }],
  ['one request', prompt(500, 1000) + answer(1000, 50), { requests: 1, prompt: 2000, generation: 50 }],
  [
    'two: weighted by their tokens',
    prompt(1000, 100) + answer(1000, 10) + prompt(1000, 300) + answer(1000, 30),
    { requests: 2, prompt: 200, generation: 20 },
  ],
  [
    'cached prompts, and answers of one token',
    prompt(30, 1) + answer(0, 1),
    { requests: 1, prompt: null, generation: null },
  ],
  ['eight tokens count', prompt(1000, 8), { requests: 0, prompt: 8, generation: null }],
])('%s', (_, journal, rates) => {
  expect(tokenRates(journal)).toEqual(rates)
})
