/** What the machine can give of what the context asks for: the plan that llama-server runs by. */
import * as z from 'zod'
import type { Context } from '../context/context.ts'
import { type Model, modelSchema } from '../models/catalogue.ts'
import { GiB, gibibytes, kvTypes, MiB, memorySchema } from './memory.ts'
import {
  batchSize,
  type Choice,
  choose,
  type Fits,
  leastContext,
  memoryFor,
  usefulContext,
  type Wish,
} from './search.ts'

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
export type Asked = Wish & Pick<Context, 'threads'>

const longContext = 131_072
/** Threads as asked, at most one for each CPU (VMs shrink); unasked, one for each physical core. */
function planThreads(machine: Machine, asked: number): { threads: number; notes: string[] } {
  if (asked === 0) return { threads: Math.min(machine.physicalCores, machine.cpus), notes: [] }
  if (asked <= machine.cpus) return { threads: asked, notes: [] }
  return {
    threads: machine.cpus,
    notes: [`${asked} threads asked for, ${machine.cpus} CPUs here: ${machine.cpus} used.`],
  }
}

/**
 * The plan for this machine and model. Throws, with the memory that would do, where not even 4096 tokens fit.
 * Swap is never counted.
 */
export function planCapacity(machine: Machine, model: Model, asked: Asked): Capacity {
  const { limit, fits, terms } = memoryFor(machine.memory, model)
  const choice = choose(asked, model.contextLimit, fits)
  if (choice === undefined) throw new Error(refusal(machine, model))
  const { threads, notes } = planThreads(machine, asked.threads)
  return {
    model,
    ...choice,
    threads,
    batchSize,
    memory: terms(choice),
    memoryLimit: limit,
    notes: [
      ...notes,
      ...overLimit(model, asked),
      ...shortfall(machine, model, asked, choice),
      ...consequences(choice, fits),
    ],
  }
}

/** Why a model cannot be served on this machine, if it cannot: the sentence that planCapacity throws. */
export function refusalOf(machine: Machine, model: Model, asked: Asked): string | undefined {
  const { fits } = memoryFor(machine.memory, model)
  return choose(asked, model.contextLimit, fits) === undefined ? refusal(machine, model) : undefined
}

function refusal({ memory }: Machine, model: Model): string {
  const contextSize = Math.min(leastContext, model.contextLimit)
  const needed = gibibytes(smallestVm(model, { contextSize, parallel: 1 }))
  return (
    `${model.name} does not fit into ${gibibytes(memory)} of memory, not even with ${contextSize} tokens of ` +
    `context. Give the VM ${needed}, or choose a smaller model: \`slm-copilot models\` lists what fits.`
  )
}

/** What no machine could give. */
const overLimit = ({ name, contextLimit }: Model, { contextSize }: Wish): string[] =>
  contextSize === 'auto' || contextSize <= contextLimit
    ? []
    : [`${contextSize} tokens of context asked for, and ${name} takes at most ${contextLimit}.`]

/** What was asked for and does not fit. */
function shortfall(
  { memory }: Machine,
  model: Model,
  asked: Asked,
  { contextSize, slots }: Choice,
): string[] {
  const possible = asked.contextSize === 'auto' ? 0 : Math.min(asked.contextSize, model.contextLimit)
  const missing = [
    ...(contextSize < possible ? [`${possible} tokens of context asked for, ${contextSize} fit`] : []),
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
export function smallestVm(model: Model, asked: Wish): number {
  const contextSize = Math.min(
    asked.contextSize === 'auto' ? usefulContext : asked.contextSize,
    model.contextLimit,
  )
  const slots = asked.parallel === 'auto' ? 1 : asked.parallel
  const holds = (memory: number) =>
    memoryFor(memoryInVm(memory), model).fits({ contextSize, slots, kvType: 'q8_0' })
  // Some headers promise more than any machine holds: doubled, then halved, it is found in no time.
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
