/** How fast llama-server computes here: what is measured after its start, how much of it, and how it is told. */
import * as z from 'zod'

/** Tokens per second. */
const speedSchema = z.strictObject({ prompt: z.number(), generation: z.number() })

export const measurementSchema = z.strictObject({
  /** The run of llama-server that it is of. */
  invocation: z.string(),
  /** Absent where it could not be measured. */
  speed: speedSchema.optional(),
  /** What was seen meanwhile, and why there is no speed. */
  notes: z.array(z.string()),
})

export type Speed = z.infer<typeof speedSchema>
export type Measurement = z.infer<typeof measurementSchema>

/** Seconds for each of the two: nobody waits longer for a figure. */
export const patience = 5

/** Tokens that are generated, unless that takes too long. */
export const generatedTokens = 32

/** Tokens of a first prompt: few, to learn how many the machine can take in the time there is. */
export const firstPromptTokens = 16

/** A batch of the appliance's (lib/appliance/sizing/capacity.ts): more are no faster. The smallest context, of 512, holds it. */
const wholePromptTokens = 256

/** Tokens of a prompt that takes the time there is, by the rate of the first one; undefined where that was no shorter. */
export function promptTokensFor(firstRate: number): number | undefined {
  const tokens = Math.floor(Math.min(wholePromptTokens, firstRate * patience))
  return tokens > firstPromptTokens ? tokens : undefined
}

const rate = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} tokens/s`

/** `prompt 123 tokens/s, generation 7.5 tokens/s`. */
export const speedText = ({ prompt, generation }: Speed) =>
  `prompt ${rate(prompt)}, generation ${rate(generation)}`
