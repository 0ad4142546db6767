/** The memory that llama-server takes, term by term, and what else the machine needs: all in bytes. */
import * as z from 'zod'
import type { Geometry } from '../models/geometry.ts'

const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB

/** `14.3 GiB`. */
export const gibibytes = (bytes: number) => `${(bytes / GiB).toFixed(1)} GiB`

export const kvTypes = ['f16', 'q8_0'] as const
export type KvType = (typeof kvTypes)[number]

/** Bytes of one element: q8_0 has 32 elements of a byte each under one f16 scale. */
const elementSize = { f16: 2, q8_0: 34 / 32 } satisfies Record<KvType, number>

export const memorySchema = z.strictObject({
  /** Weights that stay mapped from their file. */
  mapped: z.int(),
  /** Weights copied into anonymous memory in a faster layout. Their pages of the file are not needed after the load. */
  repacked: z.int(),
  kvCache: z.int(),
  /** Buffers of the computation, touched by the first long prompt. */
  compute: z.int(),
  /** llama-server itself: vocabulary, outputs, the program. */
  process: z.int(),
  /** What slots go back to in layers with a sliding window, which forget the rest: at most. */
  checkpoints: z.int(),
  /** Prompts set aside when another conversation takes their slot. */
  promptCache: z.int(),
  /** The rest of the machine: kernel, nginx, the framework, a margin. */
  system: z.int(),
})

export type Memory = z.infer<typeof memorySchema>

/** What decides it, besides the model. */
export type Settings = { contextSize: number; slots: number; kvType: KvType; batchSize: number }

/** Such copies that each slot keeps at most: llama-server's own default. */
export const checkpoints = 32

const padded = (tokens: number) => Math.ceil(tokens / 256) * 256

/**
 * The KV cache: one pool for all slots. Layers with a sliding window keep the window and a batch
 * (llama.cpp, llama-kv-cache-iswa.cpp).
 */
export function kvCacheSize(geometry: Geometry, { contextSize, slots, kvType, batchSize }: Settings): number {
  const { layers, kvHeads, headSize, slidingWindow = { layers: 0, tokens: 0 } } = geometry
  const pool = padded(contextSize * slots)
  const windows = Math.min(pool, padded(slidingWindow.tokens * slots + batchSize))
  const cells = (layers - slidingWindow.layers) * pool + slidingWindow.layers * windows
  return Math.ceil(2 * kvHeads * headSize * elementSize[kvType] * cells)
}

/** All copies of the windows; a copy is no longer than the window (llama-server's log: "created context checkpoint"). */
function checkpointsSize(
  { kvHeads, headSize, slidingWindow }: Geometry,
  { slots, kvType }: Settings,
): number {
  const cells = slidingWindow === undefined ? 0 : slidingWindow.layers * slidingWindow.tokens
  return Math.ceil(slots * checkpoints * cells * 2 * kvHeads * headSize * elementSize[kvType])
}

/**
 * Numbers that stand beside each other for one token: in the feed-forward (4 of it in experts with biases, as gpt-oss has),
 * or with experts their answers, or in the attention. By the buffers that llama-server logs.
 */
function widthOf({ queries, embedding, feedForward, expertAnswers }: Geometry): number {
  const widest =
    expertAnswers === undefined
      ? 3 * feedForward + 3 * embedding + queries
      : Math.max(4 * feedForward, 2 * expertAnswers + embedding)
  return Math.max(widest, 2 * queries + 3.5 * embedding)
}

/** Of the program and its libraries, mapped from their files. */
const programSize = 16 * MiB

/** llama-server's terms for a model whose file has `fileSize` bytes. Measured against the real one: `make bench BENCH=memory`. */
export function memoryOf(geometry: Geometry, fileSize: number, settings: Settings): Server {
  const { vocabulary, merges, repackable } = geometry
  const { contextSize, slots, batchSize } = settings
  return {
    mapped: fileSize - repackable,
    repacked: repackable,
    kvCache: kvCacheSize(geometry, settings),
    compute: batchSize * (4 * widthOf(geometry) + 2 * padded(contextSize * slots)),
    process: Math.ceil(
      programSize + 4 * MiB + 0.22 * KiB * vocabulary + 0.125 * KiB * merges + slots * vocabulary * 4,
    ),
    checkpoints: checkpointsSize(geometry, settings),
  }
}

type Server = Omit<Memory, 'promptCache' | 'system'>

/** Bytes of llama-server's anonymous memory once a long prompt was computed, without what it sets aside. */
export const anonymousOf = ({ repacked, kvCache, compute, process }: Server) =>
  repacked + kvCache + compute + process - programSize

/** Bytes of its resident set while nothing presses: the whole file stays mapped, the copied part of it too. */
export const residentOf = (memory: Server) =>
  anonymousOf(memory) + memory.mapped + memory.repacked + programSize

/** Bytes of all terms together. */
export const sumOf = (memory: Partial<Memory>) => Object.values(memory).reduce((sum, bytes) => sum + bytes, 0)
