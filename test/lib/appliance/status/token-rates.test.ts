import { expect, it } from 'vitest'
import { tokenRates } from '../../../../lib/appliance/status/token-rates.ts'

/** As llama-server v0.5.0 writes them, with others in between. */
const metrics = (prompt: [tokens: number, seconds: number], answers: [tokens: number, seconds: number]) =>
  [
    '# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.',
    '# TYPE llamacpp:prompt_tokens_total counter',
    `llamacpp:prompt_tokens_total ${prompt[0]}`,
    `llamacpp:prompt_seconds_total ${prompt[1]}`,
    `llamacpp:tokens_predicted_total ${answers[0]}`,
    `llamacpp:tokens_predicted_seconds_total ${answers[1]}`,
    'llamacpp:predicted_tokens_seconds 12.5',
    '',
  ].join('\n')

it.each<[string, string, ReturnType<typeof tokenRates>]>([
  ['nothing', '', { prompt: null, generation: null }],
  ['no requests yet', metrics([0, 0], [0, 0]), { prompt: null, generation: null }],
  ['some', metrics([1000, 0.5], [50, 1]), { prompt: 2000, generation: 50 }],
  ['to three digits', metrics([1_000_000, 7], [1e6, 3e4]), { prompt: 143_000, generation: 33.3 }],
  ['no time, by its clock', metrics([8, 0], [8, 0]), { prompt: null, generation: null }],
  ['eight tokens count', metrics([8, 1], [7, 1]), { prompt: 8, generation: null }],
])('%s', (_, text, rates) => {
  expect(tokenRates(text)).toEqual(rates)
})
