import { describe, expect, it } from 'vitest'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import type { Geometry } from '../../../../lib/appliance/models/geometry.ts'
import {
  anonymousOf,
  gibibytes,
  kvCacheSize,
  MiB,
  memoryOf,
  residentOf,
} from '../../../../lib/appliance/sizing/memory.ts'

const { geometry, size } = catalogue['devstral-small-2']
const factors = { contextSize: 32_768, slots: 1, kvType: 'f16', batchSize: 256 } as const
const small: Geometry = { ...geometry, layers: 4, kvHeads: 2, headSize: 64 }
const windowed: Geometry = { ...small, slidingWindow: { layers: 3, tokens: 1000 } }

/** A hybrid: its recurrent layers' state, in floats of 4 bytes, is 3 × 100 of the convolution and 5000. */
const hybrid: Geometry = {
  ...small,
  recurrent: { layers: 6, convolved: 100, history: 3, values: 80, state: 5000 },
}
const hybridState = 4 * 6 * (3 * 100 + 5000)

/** Bytes of one token of one layer in 16 bits: keys and values of two heads with 64 elements of 2 bytes. */
const cell = 2 * 2 * 64 * 2

describe('the KV cache', () => {
  it.each<[string, Geometry, Partial<Parameters<typeof kvCacheSize>[1]>, number]>([
    ['of all layers', small, {}, 4 * 32_768 * cell],
    ['of several slots: one pool', small, { slots: 3 }, 4 * 98_304 * cell],
    ['in 8 bits: 34 bytes for 32 elements', small, { kvType: 'q8_0' }, (4 * 32_768 * cell * 17) / 32],
    ['keys in 8 bits, values in 16', small, { kvType: 'q8_0/f16' }, (4 * 32_768 * cell * 49) / 64],
    ['of a context that is rounded up to 256 tokens', small, { contextSize: 513 }, 4 * 768 * cell],
    ['of a context that is not', small, { contextSize: 512 }, 4 * 512 * cell],
    // 1000 tokens and a batch of 256 are 1280 cells.
    ['with sliding windows', windowed, {}, (32_768 + 3 * 1280) * cell],
    ["with each slot's window and one batch", windowed, { slots: 2 }, (65_536 + 3 * 2304) * cell],
    ["with each slot's recurrent state", hybrid, { slots: 2 }, 4 * 65_536 * cell + 2 * hybridState],
    ['with windows longer than the context', windowed, { contextSize: 512 }, 4 * 512 * cell],
  ])('%s', (_, shape, changes, bytes) => {
    expect(kvCacheSize(shape, { ...factors, ...changes })).toBe(bytes)
  })
})

it('keeps 32 checkpoints of the window for each slot, or 8 of a recurrent state; without either, none', () => {
  expect(memoryOf(hybrid, size, { ...factors, slots: 2 }, false).checkpoints).toBe(2 * 8 * hybridState)
  expect(memoryOf(small, size, factors, false).checkpoints).toBe(0)
  expect(memoryOf(windowed, size, { ...factors, slots: 2 }, false).checkpoints).toBe(2 * 32 * 3000 * cell)
})

/** Measured for each model of the catalogue by `make bench BENCH=memory`, within its tolerance. */
it.each([
  // Three feed-forwards, three embeddings and the queries are the widest.
  ['dense', { queries: 10, embedding: 10, feedForward: 100 }, 340],
  ['dense, with wide attention', { queries: 300, embedding: 10, feedForward: 10 }, 635],
  ['experts', { queries: 10, embedding: 10, feedForward: 100, expertAnswers: 20 }, 400],
  [
    'recurrent layers',
    {
      queries: 1,
      embedding: 10,
      feedForward: 10,
      recurrent: { layers: 1, convolved: 100, history: 3, values: 50, state: 1 },
    },
    6.4 * 50 + 2.7 * 100 + 1.6 * 10,
  ],
  ['experts with wide answers', { queries: 10, embedding: 10, feedForward: 10, expertAnswers: 200 }, 410],
])('the compute buffer: %s', (_, widths, floats) => {
  const { compute } = memoryOf({ ...small, ...widths }, size, { ...factors, slots: 2 }, false)
  // Per token of a batch: floats, and 2 bytes of mask for each cell of the cache.
  expect(compute).toBe(256 * (4 * floats + 2 * 65_536))
})

it('counts the weights once, whether mapped or copied, with the copies of the machine at hand', () => {
  const packed = { ...small, repackable: 100, amx: { source: 300, copies: 320 } }
  expect(memoryOf(packed, 1000, factors, false)).toMatchObject({ mapped: 900, repacked: 100 })
  expect(memoryOf(packed, 1000, factors, true)).toMatchObject({ mapped: 700, repacked: 320 })
})

it('grows by the tokenizer, and by the logits of each slot', () => {
  const processOf = (changes: Partial<Geometry>, slots = 1) =>
    memoryOf({ ...small, vocabulary: 0, merges: 0, ...changes }, size, { ...factors, slots }, false).process
  expect(processOf({})).toBe(20 * MiB)
  expect(processOf({ merges: 8 }) - processOf({})).toBe(1024)
  expect(processOf({ vocabulary: 1000 }, 2) - processOf({ vocabulary: 1000 })).toBe(4000)
  expect(processOf({ vocabulary: 50_000 }) - processOf({})).toBe(Math.ceil(0.22 * 1024 * 50_000) + 200_000)
})

it('is resident with the whole file, and without the program anonymous', () => {
  const memory = memoryOf({ ...small, repackable: 100 }, 1000, factors, false)
  const { repacked, kvCache, compute, process } = memory
  expect(anonymousOf(memory)).toBe(repacked + kvCache + compute + process - 16 * MiB)
  expect(residentOf(memory, 1000)).toBe(repacked + kvCache + compute + process + 1000)
})

it('is shown in GiB', () => {
  expect([gibibytes(14.34 * 2 ** 30), gibibytes(0)]).toEqual(['14.3 GiB', '0.0 GiB'])
})
