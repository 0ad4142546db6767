/** Context, slots and KV type: what is asked for where it fits into the memory, else what comes nearest. */

import type { Context } from '../context/context.ts'
import type { Model } from '../models/catalogue.ts'
import {
  type KvType,
  kvCacheSize,
  kvTypes,
  type Memory,
  MiB,
  memoryOf,
  type Settings,
  sumOf,
} from './memory.ts'

/** The variables that decide it. */
export type Wish = Pick<Context, 'contextSize' | 'parallel'>

/** Does this much fit, with `aside` more conversations set aside in the prompt cache? */
export type Fits = (settings: Omit<Settings, 'batchSize'>, aside?: number) => boolean
export type Choice = Omit<Settings, 'batchSize'>

/** What editors' agents need: their first prompt alone has 6,000 to 15,000 tokens. */
export const usefulContext = 32_768
/** With less than this nothing is served. */
export const leastContext = 4096
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
export const batchSize = 256

/** Kernel, nginx, framework and page tables, and a margin for what the plan's terms are off by (at most 5 %). */
const systemReserve = (memory: number) => 320 * MiB + Math.ceil(memory * 0.03)

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
 * prompts are slower the deeper they are: 0.3 of the speed at 20,000 tokens (`make bench BENCH=depth`).
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

/**
 * Context and slots as asked with the larger KV type that fits; else the largest context, else fewer slots. Undefined
 * where nothing that is of use fits. `limit`: the model's.
 */
export function choose(asked: Wish, limit: number, fits: Fits): Choice | undefined {
  const least = withLeastSlots(asked, limit, fits)
  return least !== undefined && asked.parallel === 'auto' ? withMoreSlots(least, fits) : least
}

/** As many slots as are asked for, one where that is left open. */
function withLeastSlots(asked: Wish, limit: number, fits: Fits): Choice | undefined {
  const slots = asked.parallel === 'auto' ? 1 : asked.parallel
  if (asked.contextSize !== 'auto') {
    const contextSize = Math.min(asked.contextSize, limit)
    const kvType = kvTypes.find(type => fits({ contextSize, slots, kvType: type }))
    if (kvType !== undefined) return { contextSize, slots, kvType }
  }
  for (let fewer = slots; fewer > 0; fewer--) {
    const choice = largest(fewer, limit, fits, asked.contextSize === 'auto' ? balanced : utmost)
    if (choice !== undefined && choice.contextSize >= Math.min(leastContext, limit)) return choice
  }
  return undefined
}

/** As many slots as fit when nobody asked for a number, with one more conversation set aside. */
function withMoreSlots(choice: Choice, fits: Fits): Choice {
  const more = { ...choice, slots: choice.slots + 1 }
  return more.slots <= mostSlots && fits(more, 1) ? withMoreSlots(more, fits) : choice
}

/** What a choice takes, and whether it fits. */
export function memoryFor(total: number, { geometry, size }: Model) {
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
