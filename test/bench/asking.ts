/** Requests with token IDs as prompts, and the timings that llama-server reports for them. */
import { readFileSync } from 'node:fs'
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

/** Rates in tokens per second; `prompt`: only the tokens that were not cached. */
export type MeasuredAnswer = {
  tokens: number[]
  prompt: { rate: number; tokens: number; seconds: number }
  generation: { rate: number }
  drafted: { tokens: number; accepted: number }
}

/** Completes a prompt of token IDs, greedily, with exactly this many tokens. */
export async function complete(llama: BareLlama, prompt: number[], tokens: number): Promise<MeasuredAnswer> {
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
    // The first token is generated together with the prompt.
    generation: { rate: ((timings.predicted_n - 1) / timings.predicted_ms) * 1000 },
    drafted: { tokens: timings.draft_n ?? 0, accepted: timings.draft_n_accepted ?? 0 },
  }
}

/**
 * The same in two requests, first the prompt, then the rest of the answer, with rates per CPU time. For a single thread
 * these are the rates on an idle machine (several threads spend CPU time waiting for each other).
 */
export async function completeByCpuTime(
  llama: BareLlama,
  prompt: number[],
  tokens: number,
): Promise<MeasuredAnswer> {
  const begin = cpuSeconds(llama)
  const first = await complete(llama, prompt, 1)
  const between = cpuSeconds(llama)
  const rest = await complete(llama, [...prompt, ...first.tokens], tokens - 1)
  return {
    ...rest,
    tokens: [...first.tokens, ...rest.tokens],
    prompt: { ...first.prompt, rate: first.prompt.tokens / (between - begin) },
    generation: { rate: (tokens - 1) / (cpuSeconds(llama) - between) },
  }
}

/** proc_pid_stat(5): utime and stime, in hundredths of a second (sysconf(_SC_CLK_TCK) on Linux). */
function cpuSeconds({ pid }: BareLlama): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** IDs of ordinary tokens: below are control tokens and single bytes; they end before the end of the vocabulary. */
const ordinary = { from: 1000, to: 28_000 }

/** Random tokens, different in each call. */
export const randomTokens = (count: number): number[] =>
  Array.from(
    { length: count },
    () => ordinary.from + Math.floor(Math.random() * (ordinary.to - ordinary.from)),
  )

/** Tokens in the order in which the benchmark model generates them. */
export const successive = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index)
