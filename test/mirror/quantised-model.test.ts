/** Random weights of each type, and the Q4_K_M mix: the real llama-server loads them, and counts up. */
import { statSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as z from 'zod'
import { startBareLlama, unpackedLlama } from './bare-llama.ts'
import type { TensorType } from './gguf.ts'
import type { Shape } from './layers.ts'
import { allOf, type QuantisedTypes, q4KM, quantisedModel } from './quantised-model.ts'

const shape: Shape = {
  architecture: 'llama',
  width: 256,
  layers: 3,
  feedForward: 512,
  heads: { query: 4, keyValue: 2, size: 64 },
}
const types: TensorType[] = [
  'float32',
  'float16',
  'q4_0',
  'q8_0',
  'q2_K',
  'q4_K',
  'q5_K',
  'q6_K',
  'iq4_nl',
  'mxfp4',
]

let llama: Awaited<ReturnType<typeof unpackedLlama>>
// Half an hour: with an empty cache llama-server is compiled first.
beforeAll(async () => {
  llama = await unpackedLlama()
}, 1_800_000)
afterAll(() => llama.remove())

const rows: [string, Shape, QuantisedTypes][] = [
  ...types.map((type): [string, Shape, QuantisedTypes] => [type, shape, allOf(type)]),
  ['q4_k_m', shape, q4KM(shape.layers)],
  ['mistral3', { ...shape, architecture: 'mistral3' }, q4KM(shape.layers)],
  ['qwen3moe', { ...shape, architecture: 'qwen3moe', experts: { all: 8, used: 2 } }, q4KM(shape.layers)],
  [
    'gpt-oss',
    { ...shape, architecture: 'gpt-oss', experts: { all: 8, used: 2 }, slidingWindow: 128 },
    allOf('mxfp4'),
  ],
]

it.each(rows)('%s: answers with the successor of each token', async (name, shape, types) => {
  const model = await quantisedModel(`test-${name}`, shape, types)
  const settings = { LLAMA_ARG_MODEL: model, LLAMA_ARG_CTX_SIZE: '1024', LLAMA_ARG_THREADS: '1' }
  const server = await startBareLlama(llama.program, settings, ['--check-tensors'])
  try {
    const prompt = [9000, 5000, 3000]
    const asked = { prompt, n_predict: 5, ignore_eos: true, return_tokens: true, temperature: 0 }
    const { tokens } = z.object({ tokens: z.array(z.int()) }).parse(await server.post('/completion', asked))
    expect(tokens).toEqual([3001, 3002, 3003, 3004, 3005])
  } finally {
    await server.stop()
  }
})

it('mixes Q4_K and Q6_K as Q4_K_M does', async () => {
  const ofDevstral = q4KM(40)
  const dear = Array.from({ length: 40 }, (_, layer) => layer).filter(
    layer => ofDevstral.layer('ffn_down', layer) === 'q6_K',
  )
  // As llama-quantize does: the first and the last eighth of the layers, and every third one in between.
  expect(dear).toEqual([0, 1, 2, 3, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 34, 35, 36, 37, 38, 39])
  expect(ofDevstral.layer('attn_q', 0)).toBe('q4_K')
})

it('has the size that follows from its types', async () => {
  const q4 = statSync(await quantisedModel('test-q4_K', shape, allOf('q4_K'))).size
  const q8 = statSync(await quantisedModel('test-q8_0', shape, allOf('q8_0'))).size
  const values = 2 * 32_000 * 256 + 3 * (2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 512)
  expect(q8 - q4).toBe(values * (34 / 32 - 144 / 256))
})

it('refuses rows that are not a whole number of blocks', async () => {
  const narrow = { ...shape, width: 128 }
  await expect(quantisedModel('test-narrow', narrow, allOf('q4_K'))).rejects.toThrow(/blocks of 256/)
})
