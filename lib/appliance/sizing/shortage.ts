/** What the plan learns when llama-server has run out of memory: from then on it takes less. */
import * as z from 'zod'
import { gibibytes, type Memory, sumOf } from './memory.ts'

export const shortageSchema = z.strictObject({
  /** The model's SHA-256, and the VM's memory in bytes: with others, this says nothing. */
  model: z.string(),
  memory: z.int(),
  /** Bytes that the plan took when the memory ran out, and those that it may take from then on. */
  taken: z.int(),
  most: z.int(),
})

export type Shortage = z.infer<typeof shortageSchema>

/** The share of KV cache and prompt cache that the next plan may take; the weights cannot take less. */
const nextShare = 0.7

/** Bytes that llama-server takes by the plan: without the rest of the machine. */
const takenBy = ({ system: _, ...server }: Memory) => sumOf(server)

/** What to remember after llama-server ran out of memory with this plan. */
export function shortageOf(
  { model, memory }: { model: { sha256: string }; memory: Memory },
  memoryOfVm: number,
): Shortage {
  const taken = takenBy(memory)
  const most = Math.floor(taken - (1 - nextShare) * (memory.kvCache + memory.promptCache))
  return { model: model.sha256, memory: memoryOfVm, taken, most }
}

/** Whether it applies: a VM of the same size reports slightly different memory at each boot. */
export const applies = (shortage: Shortage, model: string, memory: number): boolean =>
  shortage.model === model && memory <= shortage.memory * 1.02

/** For report, banner, status and log. */
export const shortageNote = ({ taken: before }: Shortage, memory: Memory): string =>
  `llama-server ran out of memory although the plan took ${gibibytes(before)}: it now takes ${gibibytes(takenBy(memory))}, ` +
  'with fewer cached prompts, conversations or tokens. A VM with more memory lifts this limit.'
