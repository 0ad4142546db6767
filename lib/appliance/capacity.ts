/** What the machine can give of what the context asks for: the plan that llama-server runs by. */
import * as z from 'zod'
import { type Model, modelSchema } from './catalogue.ts'
import type { Context } from './context.ts'

export type Machine = {
  /** CPUs that threads can run on. */
  cpus: number
  /** Cores without their hyper-threads. */
  physicalCores: number
}

export const capacitySchema = z.strictObject({
  model: modelSchema,
  /** Tokens of each conversation. */
  contextSize: z.int(),
  /** Conversations at once, each with the whole context size. */
  slots: z.int(),
  threads: z.int(),
  /** Tokens computed in one go: the time that a cancelled request, or another's next token, waits. */
  batchSize: z.int(),
  /** What differs from what was asked for, or deserves a word: for report and log. */
  notes: z.array(z.string()),
})

export type Capacity = z.infer<typeof capacitySchema>

/** The variables that decide it. */
type Asked = Pick<Context, 'contextSize' | 'threads'>

const longContext = 131_072

/**
 * A leaver's slot and another's next token wait for one batch: 10 s where a prompt is computed at 25 tokens per second.
 * Measured (`make bench BENCH=batches`): prompts are no slower than with 512 or 2048.
 */
const batchSize = 256

/** Threads as asked, at most one for each CPU (VMs shrink); unasked, one for each physical core. */
function planThreads(machine: Machine, asked: number): { threads: number; notes: string[] } {
  if (asked === 0) return { threads: Math.min(machine.physicalCores, machine.cpus), notes: [] }
  if (asked <= machine.cpus) return { threads: asked, notes: [] }
  return {
    threads: machine.cpus,
    notes: [`${asked} threads asked for, ${machine.cpus} CPUs here: ${machine.cpus} used.`],
  }
}

/** The plan for this machine and the model to serve. */
export function planCapacity(machine: Machine, model: Model, context: Asked): Capacity {
  const { threads, notes } = planThreads(machine, context.threads)
  if (context.contextSize > longContext)
    notes.push(`A context of ${context.contextSize} tokens takes much memory and is slow at its end.`)
  const contextSize = Math.min(context.contextSize, model.contextLimit)
  return { model, contextSize, slots: 2, threads, batchSize, notes }
}
