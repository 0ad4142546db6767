/** What a plan does not grant of the request, and what it means for users; for report and log. */
import type { Model } from '../models/catalogue.ts'
import { leastContext, usefulContext } from './limits.ts'
import type { Machine } from './machine.ts'
import { gibibytes, type KvType, type Sizing } from './memory.ts'
import type { Fits, SizingRequest } from './search.ts'
import { smallestVm } from './smallest-vm.ts'

/** The sentence for a model that does not fit at all. */
export function refusal(machine: Machine, model: Model): string {
  const contextSize = Math.min(leastContext, model.contextLimit)
  const needed = gibibytes(smallestVm(model, { contextSize, parallel: 1 }, machine))
  return (
    `${model.name} does not fit into ${gibibytes(machine.memory)} of memory, even with a context of only ${contextSize} ` +
    `tokens. Give the VM ${needed}, or choose a smaller model: \`slm-copilot models\` lists what fits.`
  )
}

/** A note if the request exceeds the model's own limit. */
export const overLimit = ({ name, contextLimit }: Model, { contextSize }: SizingRequest): string[] =>
  contextSize === 'auto' || contextSize <= contextLimit
    ? []
    : [`A context of ${contextSize} tokens was requested, but ${name} supports at most ${contextLimit}.`]

/** A note on what was requested and does not fit. */
export function shortfall(
  machine: Machine,
  model: Model,
  request: SizingRequest,
  { contextSize, slots }: Sizing,
): string[] {
  const possible = request.contextSize === 'auto' ? 0 : Math.min(request.contextSize, model.contextLimit)
  const missing = [
    ...(contextSize < possible ? [`a context of ${contextSize} tokens instead of ${possible}`] : []),
    ...(request.parallel !== 'auto' && slots < request.parallel
      ? [`${slots} conversations at once instead of ${request.parallel}`]
      : []),
  ]
  if (missing.length === 0) return []
  const needed = gibibytes(smallestVm(model, request, machine))
  return [
    `Reduced to fit into ${gibibytes(machine.memory)} of memory: ${missing.join(', ')}. A VM with ${needed} fits the full request.`,
  ]
}

/** What a smaller KV cache costs, by `make bench BENCH=depth`. */
const slowdowns = {
  'q8_0/f16':
    'The keys of the KV cache are stored in 8 bits (q8_0), because it does not fit in 16: after 20,000 tokens, prompts are processed at half the speed.',
  q8_0: 'The KV cache is stored in 8 bits (q8_0), because it does not fit in 16: after 20,000 tokens, prompts are processed at a third of the speed.',
} satisfies Partial<Record<KvType, string>>

/** Tokens: a longer context gets a warning. */
const longContext = 131_072

/** Notes on what the sizing means for users. */
export function consequences(sizing: Sizing, fits: Fits): string[] {
  const notes: string[] = []
  if (sizing.kvType !== 'f16') notes.push(slowdowns[sizing.kvType])
  if (!fits(sizing, Math.min(1, usefulContext / sizing.contextSize)))
    notes.push(
      'Little memory is left for the prompt cache: returning to a conversation may mean processing its whole prompt again.',
    )
  if (sizing.contextSize > longContext)
    notes.push(
      `A context of ${sizing.contextSize} tokens takes a lot of memory, and becomes slow as it fills up.`,
    )
  return notes
}
