/** Whether a model thinks before it answers, and for how long the context lets it. */
import * as z from 'zod'

/** Models that think: if asked to, or always. */
export const thinkingKinds = ['optional', 'always'] as const

/** `auto`: as long as the model likes; otherwise not at all, or at most this many tokens for each answer. */
export type ThinkingRequest = 'auto' | 'NO' | number

/** What is set for a model that thinks; absent for `auto`. */
export const thinkingSchema = z.union([z.literal('off'), z.int().positive()])

export type ThinkingLimit = z.infer<typeof thinkingSchema>

type ThinkingModel = { name: string; thinking?: (typeof thinkingKinds)[number] | undefined }

/** The limit for this model, and a note if it cannot be kept as requested. */
export function planThinking(
  { name, thinking }: ThinkingModel,
  request: ThinkingRequest,
): { limit?: ThinkingLimit; notes: string[] } {
  if (request === 'auto') return { notes: [] }
  const setting = `ONEAPP_COPILOT_THINKING=${request}`
  if (thinking === undefined)
    return { notes: [`${setting} has no effect: ${name} does not think before it answers.`] }
  if (request !== 'NO') return { limit: request, notes: [] }
  const notes =
    thinking === 'always'
      ? [
          `${setting} cannot be honoured: ${name} always thinks before it answers. It is asked for the least effort.`,
        ]
      : []
  return { limit: 'off', notes }
}

/** Tokens of an answer that thoughts may take, for clients that limit its length; `usual`: without a limit. */
export function thoughtTokens(
  { thinking }: ThinkingModel,
  limit: ThinkingLimit | undefined,
  usual: number,
): number {
  if (thinking === undefined || limit === 'off') return 0
  return limit ?? usual
}
