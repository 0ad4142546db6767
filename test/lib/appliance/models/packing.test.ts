/** Which weights llama-server copies into another layout (llama.cpp, ggml-cpu: repack.cpp and amx). */
import { expect, it } from 'vitest'
import type { Tensor } from '../../../../lib/appliance/models/gguf.ts'
import { amxPacking, repackedBytes } from '../../../../lib/appliance/models/packing.ts'

const tensor = (type: number, shape: number[], name = 'blk.0.attn_q.weight'): Tensor => ({
  name,
  type,
  shape,
  offset: 0,
})

// Q4_0: 32 elements in 18 bytes; Q8_0: in 34; Q4_K: 256 in 144; Q6_K: 256 in 210; F16: 2 bytes each.
it.each<[string, Tensor, number, number, number]>([
  ['Q4_0', tensor(2, [32, 32]), 576, 576, 576],
  ['Q4_0, rows not a multiple of 8', tensor(2, [32, 12]), 0, 0, 0],
  ['Q4_0, rows a multiple of 8 only: repacked as on other CPUs', tensor(2, [32, 8]), 144, 144, 144],
  ['Q4_0, a vector', tensor(2, [32]), 0, 0, 0],
  ['Q8_0: 4 bytes more for each block', tensor(8, [32, 32]), 0, 1088, 1216],
  ['Q8_0, rows not a multiple of 32', tensor(8, [32, 16]), 0, 0, 0],
  ['Q8_0, an expert', tensor(8, [32, 32], 'blk.0.ffn_up_exps.weight'), 0, 0, 0],
  ['Q8_0, three dimensions', tensor(8, [32, 32, 2]), 0, 0, 0],
  ['Q8_0, a vector', tensor(8, [32]), 0, 0, 0],
  ['Q4_K: 4 bytes more for each block', tensor(12, [256, 32]), 4608, 4608, 4736],
  ['Q4_K, experts: repacked', tensor(12, [256, 32, 2], 'blk.0.ffn_up_exps.weight'), 9216, 9216, 9216],
  ['Q6_K', tensor(14, [256, 32]), 0, 6720, 6720],
  ['F16', tensor(1, [16, 32]), 0, 1024, 1024],
  ['F16, columns not a multiple of 16', tensor(1, [8, 32]), 0, 0, 0],
  ['F32', tensor(0, [32, 32]), 0, 0, 0],
])('%s', (_, one, repacked, source, copies) => {
  expect(repackedBytes([one])).toBe(repacked)
  expect(amxPacking([one])).toEqual({ source, copies })
})

it('adds them up', () => {
  const tensors = [tensor(2, [32, 32]), tensor(8, [32, 32]), tensor(0, [32, 32])]
  expect(repackedBytes(tensors)).toBe(576)
  expect(amxPacking(tensors)).toEqual({ source: 576 + 1088, copies: 576 + 1216 })
  expect(amxPacking([])).toEqual({ source: 0, copies: 0 })
})
