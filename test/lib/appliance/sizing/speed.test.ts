import { expect, it } from 'vitest'
import { promptTokensFor, speedText } from '../../../../lib/appliance/sizing/speed.ts'

it.each([
  { rate: 1000, tokens: 256 },
  { rate: 24.3, tokens: 121 },
  { rate: 3.4, tokens: 17 },
  { rate: 3.2, tokens: undefined },
  // The first prompt already took all the time.
  { rate: 3, tokens: undefined },
  { rate: 0, tokens: undefined },
])('$rate tokens/s: a prompt of $tokens', ({ rate, tokens }) => {
  expect(promptTokensFor(rate)).toBe(tokens)
})

it.each([
  [{ prompt: 123.4, generation: 7.52 }, 'prompt 123 tokens/s, generation 7.5 tokens/s'],
  [{ prompt: 9.96, generation: 0.37 }, 'prompt 10.0 tokens/s, generation 0.4 tokens/s'],
])('describes %j', (speed, text) => {
  expect(speedText(speed)).toBe(text)
})
