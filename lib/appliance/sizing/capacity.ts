/** The capacity plan: how much of what the context requests fits this machine. */
import * as z from 'zod'
import type { Context } from '../context/context.ts'
import { type Model, modelSchema } from '../models/catalogue.ts'
import { planThinking, type ThinkingRequest, thinkingSchema } from '../models/thinking.ts'
import { hasAmx } from './hardware.ts'
import { batchSize, leastContext, usefulContext } from './limits.ts'
import { GiB, gibibytes, type KvType, kvTypes, MiB, memorySchema, type Sizing } from './memory.ts'
import { type Fits, memoryBudget, type SizingRequest, searchSizing } from './search.ts'
import { applies, type Shortage, shortageNote } from './shortage.ts'

export type Machine = {
  /** CPUs that threads can run on. */
  cpus: number
  /** Physical cores: hyper-threads not counted. */
  physicalCores: number
  /** Bytes of RAM that the kernel can allocate (MemTotal of proc_meminfo(5)). */
  memory: number
  /** Absent for a hypothetical machine, which is taken to have no AMX. */
  cpu?: { features: string[] } | undefined
  /** Set if llama-server has run out of memory on this machine. */
  shortage?: Shortage | undefined
  /** Bytes that the services beside chat take. */
  reserved?: number | undefined
}

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

const packsForAmx = ({ cpu }: Pick<Machine, 'cpu'>) => hasAmx(cpu?.features ?? [])
const memoryOn = (machine: Machine, model: Model) =>
  memoryBudget(machine.memory, packsForAmx(machine), model, {
    most: shortageOn(machine, model)?.most,
    reserved: machine.reserved,
  })

const shortageOn = ({ shortage, memory }: Machine, { sha256 }: Model) =>
  shortage !== undefined && applies(shortage, sha256, memory) ? shortage : undefined

/** Tokens: a longer context gets a warning. */
const longContext = 131_072

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

/** After a shortage so severe that nothing fits: the smallest sizing that would fit without it. */
function leastSizing(machine: Machine, model: Model): Sizing | undefined {
  if (shortageOn(machine, model) === undefined) return undefined
  const { fits } = memoryOn({ ...machine, shortage: undefined }, model)
  return searchSizing({ contextSize: leastContext, parallel: 1 }, model.contextLimit, fits)
}

function refusal(machine: Machine, model: Model): string {
  const contextSize = Math.min(leastContext, model.contextLimit)
  const needed = gibibytes(smallestVm(model, { contextSize, parallel: 1 }, machine))
  return (
    `${model.name} does not fit into ${gibibytes(machine.memory)} of memory, even with a context of only ${contextSize} ` +
    `tokens. Give the VM ${needed}, or choose a smaller model: \`slm-copilot models\` lists what fits.`
  )
}

/** A note if the request exceeds the model's own limit. */
const overLimit = ({ name, contextLimit }: Model, { contextSize }: SizingRequest): string[] =>
  contextSize === 'auto' || contextSize <= contextLimit
    ? []
    : [`A context of ${contextSize} tokens was requested, but ${name} supports at most ${contextLimit}.`]

/** A note on what was requested and does not fit. */
function shortfall(
  machine: Machine,
  model: Model,
  request: CapacityRequest,
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

/** Notes on what the sizing means for users. */
function consequences(sizing: Sizing, fits: Fits): string[] {
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

/** Bytes that a VM's kernel can allocate: without page descriptors (64 bytes per 4 KiB) and its own code. */
export const memoryInVm = (memory: number) => memory - Math.ceil(memory / 64) - 128 * MiB

/**
 * Bytes of memory, in whole GiB, of the smallest VM that fits the full request; `auto`: a useful context, one
 * slot. `kind`: the machine's CPU.
 */
export function smallestVm(
  model: Model,
  request: SizingRequest,
  kind: Pick<Machine, 'cpu' | 'reserved'> = {},
): number {
  const contextSize = Math.min(
    request.contextSize === 'auto' ? usefulContext : request.contextSize,
    model.contextLimit,
  )
  const slots = request.parallel === 'auto' ? 1 : request.parallel
  const holds = (memory: number) =>
    memoryBudget(memoryInVm(memory), packsForAmx(kind), model, { reserved: kind.reserved }).fits({
      contextSize,
      slots,
      kvType: 'q8_0',
    })
  // By bisection: some headers claim a context that no machine has memory for.
  let above = 1
  while (!holds(above * GiB)) above *= 2
  let below = Math.floor(above / 2)
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2)
    if (holds(middle * GiB)) above = middle
    else below = middle
  }
  return above * GiB
}
