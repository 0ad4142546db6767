/** The terms of the plan compared with the real llama-server: a small part of `make bench BENCH=memory`. */
import { expect, it } from 'vitest'
import { type Compared, compare, errorOf, gridModels, layouts, llamaFor } from '../bench/memory.ts'

/** Tolerances: in bytes for small buffers, as a share of the measured value for the others. */
const little = 3 * 2 ** 20
const most = 0.05
/** llama.cpp keeps the file mapped only up to the last weight in use: with AMX, that excludes most of a small model. */
const mostUnmapped = 0.1

function isNear(compared: Compared): boolean {
  const { term, planned, measured } = compared
  const error = errorOf(compared)
  return (
    Math.abs(planned - measured) <= little ||
    (error >= -most && error <= (term === 'resident' ? mostUnmapped : most))
  )
}

const points = [
  ['devstral', { contextSize: 4096, slots: 1, kvType: 'q8_0', batchSize: 256 }],
  ['wide', { contextSize: 4096, slots: 2, kvType: 'f16', batchSize: 256 }],
  ['plain', { contextSize: 8192, slots: 1, kvType: 'f16', batchSize: 512 }],
  ['mixture', { contextSize: 4096, slots: 1, kvType: 'f16', batchSize: 1024 }],
  ['hybrid', { contextSize: 2048, slots: 2, kvType: 'f16', batchSize: 256 }],
  ['drafting', { contextSize: 1024, slots: 1, kvType: 'f16', batchSize: 256 }],
  ['window', { contextSize: 1024, slots: 4, kvType: 'q8_0', batchSize: 256 }],
] as const
const grid = layouts.flatMap(amx => points.map(([name, settings]) => ({ amx, name, settings })))

it.each(grid)('plans $name to within 5 percent, and each buffer too; AMX: $amx, $settings', async row => {
  const { amx, name, settings } = row
  const llama = await llamaFor(amx)
  const found = await compare(llama.program, amx, await gridModels[name](), settings).finally(llama.remove)
  expect(found.map(({ term }) => term)).toHaveLength(6)
  expect(found.filter(compared => !isNear(compared))).toEqual([])
})
