/** The plan's terms against the real llama-server: a small part of `make bench BENCH=memory`. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Compared, compare, errorOf, gridModels, withAmx } from '../bench/memory.ts'
import { unpackedLlama } from '../mirror/bare-llama.ts'

let llama: Awaited<ReturnType<typeof unpackedLlama>>
beforeAll(async () => {
  llama = await unpackedLlama(withAmx)
})
afterAll(() => llama?.remove())

/** What a buffer that is small anyway may be off. */
const near = ({ planned, measured }: Compared) => Math.abs(planned - measured) <= 3 * 2 ** 20 || undefined

it.each([
  ['devstral', { contextSize: 4096, slots: 1, kvType: 'q8_0', batchSize: 256 }],
  ['wide', { contextSize: 4096, slots: 2, kvType: 'f16', batchSize: 256 }],
  ['plain', { contextSize: 8192, slots: 1, kvType: 'f16', batchSize: 512 }],
  ['mixture', { contextSize: 4096, slots: 1, kvType: 'f16', batchSize: 1024 }],
  ['window', { contextSize: 4096, slots: 4, kvType: 'q8_0', batchSize: 256 }],
] as const)('plans for %s with %o as it takes: within 5 percent, each buffer too', async (name, settings) => {
  const found = await compare(llama.program, await gridModels[name](), settings)
  expect(found.map(({ term }) => term)).toHaveLength(6)
  for (const compared of found)
    expect(
      near(compared) ?? Math.abs(errorOf(compared)),
      `${compared.term}: ${JSON.stringify(compared)}`,
    ).toSatisfy((answer: true | number) => answer === true || answer <= 0.05)
})
