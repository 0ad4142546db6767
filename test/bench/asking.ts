/** Requests in token numbers, and how long llama-server itself says that they took. */
import * as z from 'zod'
import type { BareLlama } from '../mirror/bare-llama.ts'

const answerSchema = z.object({
  tokens: z.array(z.int()),
  timings: z.object({
    cache_n: z.int(),
    prompt_n: z.int(),
    prompt_ms: z.number(),
    predicted_n: z.int(),
    predicted_ms: z.number(),
    draft_n: z.int().optional(),
    draft_n_accepted: z.int().optional(),
  }),
})

/** Rates in tokens per second; `prompt`: of the tokens that were not in the cache. */
export type Answer = {
  tokens: number[]
  prompt: { rate: number; tokens: number; seconds: number }
  generation: { rate: number }
  drafted: { tokens: number; accepted: number }
}

/** Completes a prompt of token numbers, greedily, with exactly so many tokens. */
export async function complete(llama: BareLlama, prompt: number[], tokens: number): Promise<Answer> {
  const asked = { prompt, n_predict: tokens, ignore_eos: true, temperature: 0, return_tokens: true }
  const answer = answerSchema.parse(await llama.post('/completion', asked))
  const { timings } = answer
  return {
    tokens: answer.tokens,
    prompt: {
      rate: (timings.prompt_n / timings.prompt_ms) * 1000,
      tokens: timings.prompt_n,
      seconds: timings.prompt_ms / 1000,
    },
    // The first token comes with the prompt.
    generation: { rate: ((timings.predicted_n - 1) / timings.predicted_ms) * 1000 },
    drafted: { tokens: timings.draft_n ?? 0, accepted: timings.draft_n_accepted ?? 0 },
  }
}

/** Numbers of ordinary tokens: below are control tokens and single bytes, above is the end of the vocabulary. */
const ordinary = { from: 1000, to: 28_000 }

/** So many tokens at random; another list at each call. */
export const randomTokens = (count: number): number[] =>
  Array.from(
    { length: count },
    () => ordinary.from + Math.floor(Math.random() * (ordinary.to - ordinary.from)),
  )

/** Tokens in the order in which the bench's model says them. */
export const successive = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index)
