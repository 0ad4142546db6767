/** Sizing search: context, slots and KV type as requested if they fit, otherwise the closest that do. */

import type { Context } from '../context/context.ts'
import type { Model } from '../models/catalogue.ts'
import { batchSize, leastContext, usefulContext } from './limits.ts'
import {
  checkpointsSize,
  type KvType,
  kvCacheSize,
  kvTypes,
  type Memory,
  MiB,
  memoryOf,
  type Sizing,
  sumOf,
} from './memory.ts'

/** The variables that decide it. */
export type SizingRequest = Pick<Context, 'contextSize' | 'parallel'>

/** Whether a sizing fits, with room in the prompt cache for this many spare conversations of full length. */
export type Fits = (sizing: Sizing, spareConversations?: number) => boolean

/** Bytes to which memory is rounded down: what the kernel keeps for itself varies slightly between boots. */
const memoryGranularity = 16 * MiB
/** The most slots if no number is requested: more make each conversation slow on CPUs. */
const mostDefaultSlots = 4
/** Conversations of full length that the prompt cache may hold: users rarely return to more. */
const mostCachedConversations = 8
/** The step, in tokens, of the search for the largest context. */
const contextStep = 1024

/** Kernel, nginx, framework and page tables, and a margin for the error of the plan's terms (at most 5 %). */
const systemReserve = (memory: number) => 320 * MiB + Math.ceil(memory * 0.03)

/** The largest context that fits, in whole steps; 0 if none does. */
function largestContext(limit: number, fits: (contextSize: number) => boolean): number {
  if (fits(limit)) return limit
  let [below, above] = [0, Math.ceil(limit / contextStep)]
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2)
    if (fits(middle * contextStep)) below = middle
    else above = middle
  }
  return below * contextStep
}

/** The KV cache's types, and how many spare conversations the prompt cache must have room for. */
type Layout = { kvType: KvType; spareConversations: number }
const mostCompact: Layout = { kvType: 'q8_0', spareConversations: 0 }
/**
 * For a context of `auto`, in order of preference: 16 bits if the context is still useful, otherwise 8 for the
 * keys, otherwise 8 for all; with room for a spare conversation if possible. With 8 bits, prompts get slower as
 * the context fills up (`make bench BENCH=depth`).
 */
const layouts: Layout[] = kvTypes.flatMap(kvType => [
  { kvType, spareConversations: 1 },
  { kvType, spareConversations: 0 },
])

/** The largest context in the first layout that yields a useful one, otherwise in the last. */
function withLargestContext(
  slots: number,
  limit: number,
  fits: Fits,
  preferred: Layout[],
): Sizing | undefined {
  const candidates = preferred.map(({ kvType, spareConversations }) => ({
    contextSize: largestContext(limit, contextSize =>
      fits({ contextSize, slots, kvType }, spareConversations),
    ),
    slots,
    kvType,
  }))
  const isUseful = ({ contextSize }: Sizing) => contextSize >= Math.min(usefulContext, limit)
  return candidates.find(isUseful) ?? candidates.at(-1)
}

/**
 * Context and slots as requested, with the larger KV type that fits; otherwise the largest context, otherwise
 * fewer slots. Undefined if nothing useful fits. `limit`: the model's longest context.
 */
export function searchSizing(request: SizingRequest, limit: number, fits: Fits): Sizing | undefined {
  const sizing = withRequestedSlots(request, limit, fits)
  return sizing !== undefined && request.parallel === 'auto' ? withDefaultSlots(sizing, fits) : sizing
}

/** As many slots as requested, or fewer; one if no number is requested. */
function withRequestedSlots(request: SizingRequest, limit: number, fits: Fits): Sizing | undefined {
  const slots = request.parallel === 'auto' ? 1 : request.parallel
  if (request.contextSize !== 'auto') {
    const contextSize = Math.min(request.contextSize, limit)
    const kvType = kvTypes.find(type => fits({ contextSize, slots, kvType: type }))
    if (kvType !== undefined) return { contextSize, slots, kvType }
  }
  const preferred = request.contextSize === 'auto' ? layouts : [mostCompact]
  for (let fewer = slots; fewer > 0; fewer--) {
    const sizing = withLargestContext(fewer, limit, fits, preferred)
    if (sizing !== undefined && sizing.contextSize >= Math.min(leastContext, limit)) return sizing
  }
  return undefined
}

/** As many slots as fit together with a spare conversation, if no number is requested. */
function withDefaultSlots(sizing: Sizing, fits: Fits): Sizing {
  const larger = { ...sizing, slots: sizing.slots + 1 }
  return larger.slots <= mostDefaultSlots && fits(larger, 1) ? withDefaultSlots(larger, fits) : sizing
}

/**
 * Whether a sizing fits into `total` bytes of memory, and what it uses of them. `most`: bytes that llama-server may
 * take, if that is less; its limit is not lowered with it. `reserved`: bytes that the services beside chat take.
 */
export function memoryBudget(
  total: number,
  hasAmx: boolean,
  { geometry, size }: Model,
  {
    most = Number.POSITIVE_INFINITY,
    reserved = 0,
  }: { most?: number | undefined; reserved?: number | undefined } = {},
) {
  const memory = Math.floor(total / memoryGranularity) * memoryGranularity
  const system = systemReserve(memory)
  const limit = Math.floor((memory - system - reserved) / MiB) * MiB
  const usable = Math.min(limit, most)
  // A hybrid's conversation is stored with its checkpoints.
  const conversation = ({ kvType, contextSize }: Sizing) => {
    const one = { contextSize, kvType, slots: 1, batchSize }
    return (
      kvCacheSize(geometry, one) + (geometry.recurrent === undefined ? 0 : checkpointsSize(geometry, one))
    )
  }
  const needed = (sizing: Sizing) => memoryOf(geometry, size, { ...sizing, batchSize }, hasAmx)
  const fits: Fits = (sizing, spareConversations = 0) =>
    sumOf(needed(sizing)) + spareConversations * conversation(sizing) <= usable
  const promptCache = (sizing: Sizing) => {
    const free = Math.max(0, usable - sumOf(needed(sizing)))
    return Math.floor(Math.min(free, mostCachedConversations * conversation(sizing)) / MiB) * MiB
  }
  return {
    limit,
    fits,
    terms: (sizing: Sizing): Memory => ({ ...needed(sizing), promptCache: promptCache(sizing), system }),
  }
}
