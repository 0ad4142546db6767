/** With the appliance's settings, the real llama-server has its caches and repacked weights in huge pages. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { llamaEnvironment } from '../../lib/render/units/llama.ts'
import { startBareLlama, unpackedLlama } from '../mirror/bare-llama.ts'
import { q4KM, quantisedModel } from '../mirror/quantised-model.ts'
import { capacityFor, tinyModel } from '../support/capacity.ts'
import { environmentOf } from './support/stack.ts'

const policy = readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8')
const MiB = 1024

let llama: Awaited<ReturnType<typeof unpackedLlama>>
// Half an hour: with an empty cache llama-server is compiled first.
beforeAll(async () => {
  llama = await unpackedLlama()
}, 1_800_000)
afterAll(() => llama.remove())

it.skipIf(policy.includes('[never]'))('uses huge pages if the kernel offers them', async () => {
  const model = await quantisedModel(
    'test-huge-pages',
    {
      architecture: 'llama',
      width: 256,
      layers: 4,
      feedForward: 512,
      heads: { query: 4, keyValue: 2, size: 64 },
    },
    q4KM(4),
  )
  const plan = capacityFor(tinyModel, { contextSize: 32_768, parallel: 1, threads: 1 })
  const { LLAMA_ARG_HOST, ...settings } = environmentOf(llamaEnvironment(plan, { reusesPrompts: true }).text)
  const server = await startBareLlama(llama.program, { ...settings, LLAMA_ARG_MODEL: model })
  try {
    const rollup = readFileSync(`/proc/${server.pid}/smaps_rollup`, 'utf8')
    const kilobytes = Number(/^AnonHugePages: +([0-9]+) kB$/m.exec(rollup)?.[1])
    // The KV cache alone takes 2 x 4 layers x 2 heads x 64 x 32768 x 2 bytes: 64 MiB.
    expect(kilobytes).toBeGreaterThan(48 * MiB)
  } finally {
    await server.stop()
  }
})
