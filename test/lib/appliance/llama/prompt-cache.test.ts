import { expect, it } from 'vitest'
import { fileOfSlot, identityOf, promptCacheSchema } from '../../../../lib/appliance/llama/prompt-cache.ts'

const weights = { size: 1000, changedAt: new Date('2026-02-14T10:00:00Z') }
const environment = { LLAMA_ARG_CTX_SIZE: '4096', LLAMA_ARG_THREADS: '4', GGML_X: '1' }
const server = { program: '/opt/b9999/llama-server', environment, weights }

it.each<[string, Partial<typeof server>, boolean]>([
  ['nothing', {}, true],
  [
    'the order of its settings',
    { environment: Object.fromEntries(Object.entries(environment).reverse()) as never },
    true,
  ],
  ['threads', { environment: { ...environment, LLAMA_ARG_THREADS: '8' } }, true],
  ['threads per batch', { environment: { ...environment, LLAMA_ARG_THREADS_BATCH: '8' } as never }, true],
  [
    'the size of the cache in RAM',
    { environment: { ...environment, LLAMA_ARG_CACHE_RAM: '8' } as never },
    true,
  ],
  [
    'what others set',
    { environment: { ...environment, INVOCATION_ID: 'x', MY_LLAMA_X: 'x', LLAMAS: 'x' } as never },
    true,
  ],
  ['the context', { environment: { ...environment, LLAMA_ARG_CTX_SIZE: '8192' } }, false],
  ['a setting of ggml', { environment: { ...environment, GGML_X: '2' } }, false],
  ['one more setting', { environment: { ...environment, LLAMA_ARG_CACHE_TYPE_K: 'q8_0' } as never }, false],
  ['the release', { program: '/opt/b9998/llama-server' }, false],
  ["the model's size", { weights: { ...weights, size: 1001 } }, false],
  ["the model's date", { weights: { ...weights, changedAt: new Date('2026-02-14T10:00:01Z') } }, false],
])('another server that differs in %s: may it restore? %#', (_, changes, mayRestore) => {
  expect(identityOf({ ...server, ...changes }) === identityOf(server)).toBe(mayRestore)
})

const slot = { slot: 0, tokens: 1, size: 1, sha256: 'a'.repeat(64) }

it.each([
  [slot, true],
  [{ ...slot, slot: -1 }, false],
  [{ ...slot, tokens: 0 }, false],
  [{ ...slot, size: 0 }, false],
  [{ ...slot, size: 1.5 }, false],
  [{ ...slot, sha256: 'a'.repeat(63) }, false],
  [{ ...slot, sha256: 'A'.repeat(64) }, false],
  [{ ...slot, sha256: `${'a'.repeat(64)}/../x` }, false],
])('a record of the slot %j: is it read? %s', (recorded, isRead) => {
  expect(promptCacheSchema.safeParse({ server: 'x', slots: [recorded] }).success).toBe(isRead)
})

it("gives each slot's file a name of its own", () => {
  expect([0, 12].map(fileOfSlot)).toEqual(['slot-0.kv', 'slot-12.kv'])
})
