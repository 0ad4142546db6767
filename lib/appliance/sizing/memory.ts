/** The memory that llama-server uses, term by term, and what the rest of the machine needs; all in bytes. */
import * as z from 'zod'
import type { Geometry } from '../models/geometry.ts'

const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB

/** `14.3 GiB`. */
export const gibibytes = (bytes: number) => `${(bytes / GiB).toFixed(1)} GiB`

/** How the KV cache's keys, and its values, are stored; the largest and fastest first. */
export const kvTypes = ['f16', 'q8_0/f16', 'q8_0'] as const
export type KvType = (typeof kvTypes)[number]

type ElementType = 'f16' | 'q8_0'

export const elementTypes = {
  f16: { keys: 'f16', values: 'f16' },
  'q8_0/f16': { keys: 'q8_0', values: 'f16' },
  q8_0: { keys: 'q8_0', values: 'q8_0' },
} as const satisfies Record<KvType, { keys: ElementType; values: ElementType }>

/** Bytes of one element: a block of q8_0 has 32 elements of a byte each and an f16 scale (ggml-common.h). */
const elementSize = { f16: 2, q8_0: 34 / 32 } satisfies Record<ElementType, number>

/** Bytes of one key's element and one value's. */
const pairSize = (kvType: KvType) => {
  const { keys, values } = elementTypes[kvType]
  return elementSize[keys] + elementSize[values]
}

export const memorySchema = z.strictObject({
  /** Weights that stay mapped from their file. */
  mapped: z.int(),
  /** Weights copied into anonymous memory in a faster layout; their file pages are needed only to load. */
  repacked: z.int(),
  kvCache: z.int(),
  /** Compute buffers, first touched by a long prompt. */
  compute: z.int(),
  /** llama-server itself: vocabulary, outputs, the program. */
  process: z.int(),
  /** Context checkpoints, at most: to go back to, since sliding windows and recurrent layers forget. */
  checkpoints: z.int(),
  /** llama-server's prompt cache in RAM: conversations whose slot has been taken by another. */
  promptCache: z.int(),
  /** The rest of the machine: kernel, nginx, the framework, a margin. */
  system: z.int(),
})

export type Memory = z.infer<typeof memorySchema>

/** Tokens of each conversation, concurrent conversations, and the types of the KV cache. */
export type Sizing = { contextSize: number; slots: number; kvType: KvType }
/** What memory use depends on, besides the model. */
export type MemoryFactors = Sizing & { batchSize: number }

/**
 * The most checkpoints that a slot keeps (`--ctx-checkpoints`): llama-server's own default, but fewer for a hybrid,
 * where each is a copy of the whole state. A request makes two or three: at its last message and near its end.
 */
export const checkpointsOf = ({ recurrent }: Geometry): number => (recurrent === undefined ? 32 : 8)

/** Bytes of a hybrid's recurrent state, in 32-bit floats: the same for each conversation, however long it is. */
const stateSize = ({ recurrent }: Geometry): number =>
  recurrent === undefined
    ? 0
    : 4 * recurrent.layers * (recurrent.history * recurrent.convolved + recurrent.state)

/** Tokens: llama.cpp rounds a KV cache's cells up to a multiple of this (llama-context.cpp, GGML_PAD). */
const kvPadding = 256
const padded = (tokens: number) => Math.ceil(tokens / kvPadding) * kvPadding

/**
 * The KV cache, one pool for all slots, and each slot's recurrent state. Layers with a sliding window keep the
 * window and a batch (llama.cpp, llama-kv-cache-iswa.cpp).
 */
export function kvCacheSize(
  geometry: Geometry,
  { contextSize, slots, kvType, batchSize }: MemoryFactors,
): number {
  const { layers, kvHeads, headSize, slidingWindow = { layers: 0, tokens: 0 } } = geometry
  const pool = padded(contextSize * slots)
  const windows = Math.min(pool, padded(slidingWindow.tokens * slots + batchSize))
  const cells = (layers - slidingWindow.layers) * pool + slidingWindow.layers * windows
  return Math.ceil(kvHeads * headSize * pairSize(kvType) * cells) + slots * stateSize(geometry)
}

/**
 * All checkpoints: of a sliding window, none is longer than the window; of a hybrid, each is its recurrent state
 * (llama-server's log: "created context checkpoint").
 */
export function checkpointsSize(
  geometry: Geometry,
  { slots, kvType }: Pick<Sizing, 'slots' | 'kvType'>,
): number {
  const { kvHeads, headSize, slidingWindow } = geometry
  const cells = slidingWindow === undefined ? 0 : slidingWindow.layers * slidingWindow.tokens
  const size = cells * kvHeads * headSize * pairSize(kvType) + stateSize(geometry)
  return Math.ceil(slots * checkpointsOf(geometry) * size)
}

/**
 * Floats that the compute buffer holds for one token, at the widest point of the graph: the feed-forward
 * (four times its width for experts with biases, as in gpt-oss), the experts' outputs, the attention, or a hybrid's
 * recurrent layers with several slots.
 * Fitted to the buffer sizes that llama-server logs (`make bench BENCH=memory`).
 */
function widthOf({ queries, embedding, feedForward, expertAnswers, recurrent }: Geometry): number {
  const widest =
    expertAnswers === undefined
      ? 3 * feedForward + 3 * embedding + queries
      : Math.max(4 * feedForward, 2 * expertAnswers + embedding)
  const recurring =
    recurrent === undefined ? 0 : 6.4 * recurrent.values + 2.7 * recurrent.convolved + 1.6 * embedding
  return Math.max(widest, 2 * queries + 3.5 * embedding, recurring)
}

/** Bytes of the program and its libraries, mapped from their files. */
const programSize = 16 * MiB

/** llama-server's terms for a model file of `fileSize` bytes, as measured by `make bench BENCH=memory`. */
export function memoryOf(
  geometry: Geometry,
  fileSize: number,
  factors: MemoryFactors,
  hasAmx: boolean,
): ServerMemory {
  const { vocabulary, merges, repackable, amx } = geometry
  const { source, copies } = hasAmx ? amx : { source: repackable, copies: repackable }
  const { contextSize, slots, batchSize } = factors
  return {
    mapped: fileSize - source,
    repacked: copies,
    kvCache: kvCacheSize(geometry, factors),
    compute: Math.ceil(batchSize * (4 * widthOf(geometry) + 2 * padded(contextSize * slots))),
    process: Math.ceil(
      programSize + 4 * MiB + 0.22 * KiB * vocabulary + 0.125 * KiB * merges + slots * vocabulary * 4,
    ),
    checkpoints: checkpointsSize(geometry, factors),
  }
}

type ServerMemory = Omit<Memory, 'promptCache' | 'system'>

/** Bytes of llama-server's anonymous memory after a long prompt, without prompt cache and checkpoints. */
export const anonymousOf = ({ repacked, kvCache, compute, process }: ServerMemory) =>
  repacked + kvCache + compute + process - programSize

/** Bytes of its resident set while memory is plentiful: the whole file stays mapped, even what was copied. */
export const residentOf = (memory: ServerMemory, fileSize: number) =>
  anonymousOf(memory) + fileSize + programSize

/** Bytes of all terms together. */
export const sumOf = (memory: Partial<Memory>) => Object.values(memory).reduce((sum, bytes) => sum + bytes, 0)
