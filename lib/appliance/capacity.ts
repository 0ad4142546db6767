/** What the machine can give of what the context asks for: the plan that llama-server runs by. */
import * as z from 'zod'
import { type Model, modelSchema } from './catalogue.ts'
import type { Context } from './context.ts'
import {
  GiB,
  type KvType,
  kvCacheSize,
  kvTypes,
  type Memory,
  MiB,
  memoryOf,
  memorySchema,
  type Settings,
  sumOf,
} from './memory.ts'

export type Machine = {
  /** CPUs that threads can run on. */
  cpus: number
  /** Cores without their hyper-threads. */
  physicalCores: number
  /** Bytes of RAM that the kernel has to give. */
  memory: number
}

export const capacitySchema = z.strictObject({
  model: modelSchema,
  /** Tokens of each conversation. */
  contextSize: z.int(),
  /** Conversations at once, each with the whole context size. */
  slots: z.int(),
  /** How an element of the KV cache is stored. */
  kvType: z.enum(kvTypes),
  threads: z.int(),
  /** Tokens computed in one go: the time that a cancelled request, or another's next token, waits. */
  batchSize: z.int(),
  memory: memorySchema,
  /** Bytes that llama-server may take at most, the file's pages included. */
  memoryLimit: z.int(),
  /** What differs from what was asked for, or deserves a word: for report and log. */
  notes: z.array(z.string()),
})

export type Capacity = z.infer<typeof capacitySchema>

/** The variables that decide it. */
export type Asked = Pick<Context, 'contextSize' | 'parallel' | 'threads'>

/** Does this much fit, with `aside` more conversations set aside in the prompt cache? */
type Fits = (settings: Omit<Settings, 'batchSize'>, aside?: number) => boolean
type Choice = Omit<Settings, 'batchSize'>

const longContext = 131_072
/** What editors' agents need: their first prompt alone has 6,000 to 15,000 tokens. */
const usefulContext = 32_768
/** With less than this nothing is served. */
const leastContext = 4096
/** Bytes: memory is counted in such steps. */
const steady = 16 * MiB
/** Slots that nobody asked for: more make each conversation slow on CPUs. */
const mostSlots = 4
/** Conversations of full length that the prompt cache may hold; more are hardly come back to. */
const mostAside = 8

/**
 * A leaver's slot and another's next token wait for one batch: 10 s where a prompt is computed at 25 tokens per second.
 * Measured (`make bench BENCH=batches`): prompts are no slower than with 512 or 2048.
 */
const batchSize = 256

/** Kernel, nginx, framework and page tables, and a margin for what the plan's terms are off by (at most 5 %). */
const systemReserve = (memory: number) => 320 * MiB + Math.ceil(memory * 0.03)

export const gibibytes = (bytes: number) => `${(bytes / GiB).toFixed(1)} GiB`

/** Threads as asked, at most one for each CPU (VMs shrink); unasked, one for each physical core. */
function planThreads(machine: Machine, asked: number): { threads: number; notes: string[] } {
  if (asked === 0) return { threads: Math.min(machine.physicalCores, machine.cpus), notes: [] }
  if (asked <= machine.cpus) return { threads: asked, notes: [] }
  return {
    threads: machine.cpus,
    notes: [`${asked} threads asked for, ${machine.cpus} CPUs here: ${machine.cpus} used.`],
  }
}

/** The largest context that fits, in steps of 1024 tokens; 0 when none does. */
function largestContext(limit: number, fits: (contextSize: number) => boolean): number {
  if (fits(limit)) return limit
  let [below, above] = [0, Math.ceil(limit / 1024)]
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2)
    if (fits(middle * 1024)) below = middle
    else above = middle
  }
  return below * 1024
}

type Way = { kvType: KvType /** Conversations set aside. */; aside: number }
const utmost: Way[] = [{ kvType: 'q8_0', aside: 0 }]
/**
 * `auto`: 16 bits where that makes a useful context, else 8; room for one more conversation where it can be. With 8 bits
 * prompts are slower the deeper they are: 0.33 of the speed at 20,000 tokens (`make bench BENCH=depth`).
 */
const balanced: Way[] = [
  { kvType: 'f16', aside: 1 },
  { kvType: 'f16', aside: 0 },
  { kvType: 'q8_0', aside: 1 },
  ...utmost,
]

/** The largest context by the first way that makes a useful one, else by the last. */
function largest(slots: number, limit: number, fits: Fits, ways: Way[]): Choice | undefined {
  const choices = ways.map(({ kvType, aside }) => ({
    contextSize: largestContext(limit, contextSize => fits({ contextSize, slots, kvType }, aside)),
    slots,
    kvType,
  }))
  return choices.find(({ contextSize }) => contextSize >= Math.min(usefulContext, limit)) ?? choices.at(-1)
}

/** Context and slots as asked with the larger KV type that fits; else the largest context, else fewer slots. */
function choose(asked: Asked, limit: number, fits: Fits): Choice | undefined {
  const slots = asked.parallel === 'auto' ? 1 : asked.parallel
  if (asked.contextSize !== 'auto') {
    const contextSize = Math.min(asked.contextSize, limit)
    const kvType = kvTypes.find(type => fits({ contextSize, slots, kvType: type }))
    if (kvType !== undefined) return { contextSize, slots, kvType }
  }
  for (let fewer = slots; fewer > 0; fewer--) {
    const choice = largest(fewer, limit, fits, asked.contextSize === 'auto' ? balanced : utmost)
    if (choice !== undefined && choice.contextSize >= leastContext) return choice
  }
  return undefined
}

/** As many slots as fit when nobody asked for a number, with one more conversation set aside. */
function withMoreSlots(choice: Choice, fits: Fits): Choice {
  const more = { ...choice, slots: choice.slots + 1 }
  return more.slots <= mostSlots && fits(more, 1) ? withMoreSlots(more, fits) : choice
}

/** What a choice takes, and whether it fits. */
function memoryFor(total: number, { geometry, size }: Model) {
  // What the kernel keeps for itself differs a little from boot to boot: that must not start llama-server anew.
  const memory = Math.floor(total / steady) * steady
  const system = systemReserve(memory)
  const limit = Math.floor((memory - system) / MiB) * MiB
  const oneMore = (choice: Choice) => kvCacheSize(geometry, { ...choice, slots: 1, batchSize })
  const needed = (choice: Choice) => memoryOf(geometry, size, { ...choice, batchSize })
  const fits: Fits = (choice, aside = 0) => sumOf(needed(choice)) + aside * oneMore(choice) <= limit
  const promptCache = (choice: Choice) =>
    Math.floor(Math.min(limit - sumOf(needed(choice)), mostAside * oneMore(choice)) / MiB) * MiB
  return {
    limit,
    fits,
    terms: (choice: Choice): Memory => ({ ...needed(choice), promptCache: promptCache(choice), system }),
  }
}

/**
 * The plan for this machine and model. Throws, with the memory that would do, where not even 4096 tokens fit.
 * Swap is never counted.
 */
export function planCapacity(machine: Machine, model: Model, asked: Asked): Capacity {
  const { limit, fits, terms } = memoryFor(machine.memory, model)
  const least = choose(asked, model.contextLimit, fits)
  if (least === undefined) throw new Error(refusal(machine, model))
  const choice = asked.parallel === 'auto' ? withMoreSlots(least, fits) : least
  const { threads, notes } = planThreads(machine, asked.threads)
  return {
    model,
    ...choice,
    threads,
    batchSize,
    memory: terms(choice),
    memoryLimit: limit,
    notes: [...notes, ...shortfall(machine, model, asked, choice), ...consequences(choice, fits)],
  }
}

/** Why a model cannot be served on this machine, if it cannot: the sentence that planCapacity throws. */
export function refusalOf(machine: Machine, model: Model, asked: Asked): string | undefined {
  const { fits } = memoryFor(machine.memory, model)
  return choose(asked, model.contextLimit, fits) === undefined ? refusal(machine, model) : undefined
}

function refusal({ memory }: Machine, model: Model): string {
  const needed = gibibytes(smallestVm(model, { contextSize: leastContext, parallel: 1 }))
  return (
    `${model.name} does not fit into ${gibibytes(memory)} of memory, not even with ${leastContext} tokens of ` +
    `context. Give the VM ${needed}, or choose a smaller model: \`slm-copilot models\` lists what fits.`
  )
}

/** What was asked for and does not fit. */
function shortfall(
  { memory }: Machine,
  model: Model,
  asked: Asked,
  { contextSize, slots }: Choice,
): string[] {
  const missing = [
    ...(asked.contextSize !== 'auto' && contextSize < asked.contextSize
      ? [`${asked.contextSize} tokens of context asked for, ${contextSize} fit`]
      : []),
    ...(asked.parallel !== 'auto' && slots < asked.parallel
      ? [`${asked.parallel} conversations at once asked for, ${slots} fit`]
      : []),
  ]
  if (missing.length === 0) return []
  const needed = gibibytes(smallestVm(model, asked))
  return [`${missing.join('; ')} into ${gibibytes(memory)} of memory. A VM of ${needed} holds all of it.`]
}

/** What follows from how it fits. */
function consequences(choice: Choice, fits: Fits): string[] {
  const notes: string[] = []
  if (choice.kvType === 'q8_0')
    notes.push(
      'The KV cache is kept in 8 bits (q8_0), since it does not fit in 16: long prompts take up to three times as long.',
    )
  if (!fits(choice, Math.min(1, usefulContext / choice.contextSize)))
    notes.push('Little memory is left to set prompts aside: who comes back after another waits longer.')
  if (choice.contextSize > longContext)
    notes.push(`A context of ${choice.contextSize} tokens takes much memory and is slow at its end.`)
  return notes
}

/** What the kernel of a VM has to give of its memory: page descriptors (64 bytes of 4096) and its own code are gone. */
export const memoryInVm = (memory: number) => memory - Math.ceil(memory / 64) - 128 * MiB

/** Bytes of memory, in whole GiB, of the smallest VM that gives all that is asked for; `auto`: a useful context, one slot. */
export function smallestVm(model: Model, asked: Omit<Asked, 'threads'>): number {
  const contextSize = Math.min(
    asked.contextSize === 'auto' ? usefulContext : asked.contextSize,
    model.contextLimit,
  )
  const slots = asked.parallel === 'auto' ? 1 : asked.parallel
  const holds = (memory: number) =>
    memoryFor(memoryInVm(memory), model).fits({ contextSize, slots, kvType: 'q8_0' })
  let memory = GiB
  while (!holds(memory)) memory += GiB
  return memory
}
