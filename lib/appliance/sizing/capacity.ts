/** The capacity plan: how much of what the context requests fits this machine. */
import * as z from 'zod'
import type { Context } from '../context/context.ts'
import { type Model, modelSchema } from '../models/catalogue.ts'
import { planThinking, type ThinkingRequest, thinkingSchema } from '../models/thinking.ts'
import { consequences, overLimit, refusal, shortfall } from './capacity-notes.ts'
import { batchSize, leastContext, usefulContext } from './limits.ts'
import { type Machine, memoryOn, shortageOn } from './machine.ts'
import { kvTypes, memorySchema, type Sizing } from './memory.ts'
import { type SizingRequest, searchSizing } from './search.ts'
import { shortageNote } from './shortage.ts'

export const capacitySchema = z.strictObject({
  model: modelSchema,
  /** Tokens of each conversation. */
  contextSize: z.int(),
  /** Concurrent conversations, each with the whole context size. */
  slots: z.int(),
  /** How an element of the KV cache is stored. */
  kvType: z.enum(kvTypes),
  threads: z.int(),
  /** Tokens in a batch, for which cancelling a request and another conversation's next token wait. */
  batchSize: z.int(),
  memory: memorySchema,
  /** The limit to how long the model thinks before it answers, if there is one. */
  thinking: thinkingSchema.optional(),
  /** Bytes that llama-server may use at most, including the file's pages. */
  memoryLimit: z.int(),
  /** What differs from the request, or is worth knowing: for report and log. */
  notes: z.array(z.string()),
})

export type Capacity = z.infer<typeof capacitySchema>

/** The variables that decide it. */
export type CapacityRequest = SizingRequest & Pick<Context, 'threads'> & { thinking?: ThinkingRequest }

/** What a context requests by default. */
export const defaultRequest: CapacityRequest = { contextSize: usefulContext, parallel: 'auto', threads: 0 }

/** The smallest useful request. */
export const leastRequest: CapacityRequest = { contextSize: leastContext, parallel: 1, threads: 0 }

/** Threads as requested, at most one per CPU (VMs get resized); by default one per physical core. */
function planThreads(machine: Machine, requested: number): { threads: number; notes: string[] } {
  if (requested === 0) return { threads: Math.min(machine.physicalCores, machine.cpus), notes: [] }
  if (requested <= machine.cpus) return { threads: requested, notes: [] }
  return {
    threads: machine.cpus,
    notes: [
      `${requested} threads requested, but this VM has ${machine.cpus} CPUs: ${machine.cpus} threads are used.`,
    ],
  }
}

/**
 * The plan for this machine and model. Throws, naming the memory needed, if not even `leastContext` fits.
 * Swap is never counted.
 */
export function planCapacity(machine: Machine, model: Model, request: CapacityRequest): Capacity {
  const { limit, fits, terms } = memoryOn(machine, model)
  const sizing = searchSizing(request, model.contextLimit, fits) ?? leastSizing(machine, model)
  if (sizing === undefined) throw new Error(refusal(machine, model))
  const { threads, notes } = planThreads(machine, request.threads)
  const memory = terms(sizing)
  const thinking = planThinking(model, request.thinking ?? 'auto')
  const shortage = shortageOn(machine, model)
  return {
    model,
    ...sizing,
    threads,
    batchSize,
    memory,
    ...(thinking.limit !== undefined && { thinking: thinking.limit }),
    memoryLimit: limit,
    notes: [
      ...notes,
      ...thinking.notes,
      ...(shortage === undefined ? [] : [shortageNote(shortage, memory)]),
      ...overLimit(model, request),
      ...shortfall(machine, model, request, sizing),
      ...consequences(sizing, fits),
    ],
  }
}

/** Why a model cannot be served on this machine, if that is so: the sentence that `planCapacity` throws. */
export function refusalOf(machine: Machine, model: Model, request: CapacityRequest): string | undefined {
  const { fits } = memoryOn(machine, model)
  const sizing = searchSizing(request, model.contextLimit, fits) ?? leastSizing(machine, model)
  return sizing === undefined ? refusal(machine, model) : undefined
}

/** After a shortage so severe that nothing fits: the smallest sizing that would fit without it, if any does. */
function leastSizing(machine: Machine, model: Model): Sizing | undefined {
  const { fits } = memoryOn({ ...machine, shortage: undefined }, model)
  return searchSizing({ contextSize: leastContext, parallel: 1 }, model.contextLimit, fits)
}
