/** Measured speed: how much is measured after llama-server's start, and how it is reported. */
import * as z from 'zod'
import { batchSize } from './limits.ts'

/** Tokens per second. */
const speedSchema = z.strictObject({ prompt: z.number(), generation: z.number() })

export const measurementSchema = z.strictObject({
  /** The run of llama-server that was measured. */
  invocation: z.string(),
  /** Absent if it could not be measured. */
  speed: speedSchema.optional(),
  /** What was observed meanwhile, and why there is no speed. */
  notes: z.array(z.string()),
})

export type Speed = z.infer<typeof speedSchema>
export type Measurement = z.infer<typeof measurementSchema>

/** Seconds that each of the two measurements may take. */
export const measurementTime = 5

/** Tokens to generate, unless that takes too long. */
export const generatedTokens = 32

/** Tokens of the first prompt: few, to find out how many the machine can process in that time. */
export const firstPromptTokens = 16

/**
 * Tokens of a prompt that takes that time at the first one's rate: at most a batch, since more are no faster.
 * Undefined if the first one was as long.
 */
export function promptTokensFor(firstRate: number): number | undefined {
  const tokens = Math.floor(Math.min(batchSize, firstRate * measurementTime))
  return tokens > firstPromptTokens ? tokens : undefined
}

const rate = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} tokens/s`

/** `prompt 123 tokens/s, generation 7.5 tokens/s`. */
export const speedText = ({ prompt, generation }: Speed) =>
  `prompt ${rate(prompt)}, generation ${rate(generation)}`
