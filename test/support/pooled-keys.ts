/**
 * For unit tests: RSA keys come from a pool, since making one takes 60 ms and tests want hundreds.
 * Consecutive keys differ. Real ones are made in the integration and VM tests.
 */
import type Forge from 'node-forge'
import { vi } from 'vitest'

const size = 6

vi.mock('node-forge', async load => {
  const { default: forge } = await load<{ default: typeof Forge }>()
  const { rsa } = forge.pki
  const make = rsa.generateKeyPair
  const pool: Forge.pki.rsa.KeyPair[] = []
  let calls = 0
  rsa.generateKeyPair = ((options: Forge.pki.rsa.GenerateKeyPairOptions) => {
    const index = calls++ % size
    pool[index] ??= make(options)
    return pool[index]
  }) as typeof make
  return { default: forge }
})
