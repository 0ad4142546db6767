/**
 * For unit tests: RSA keys come from a pool, and are short, since tests want hundreds: making and using keys of full
 * length took most of their time. Consecutive keys differ. Integration and VM tests make and use real ones.
 */
import type Forge from 'node-forge'
import { vi } from 'vitest'

const size = 6

/** A source of keys in place of the real one, which is called for each place of the pool once. */
function pooled(make: typeof Forge.pki.rsa.generateKeyPair) {
  const pool: Forge.pki.rsa.KeyPair[] = []
  let calls = 0
  return function pooledKeyPair({ bits = 0, ...others }: Forge.pki.rsa.GenerateKeyPairOptions) {
    if (bits < 2048) throw new Error(`an RSA key of ${bits} bits is too short`)
    const index = calls++ % size
    pool[index] ??= make({ ...others, bits: 1024 })
    return pool[index]
  }
}

// This runs for each file of tests, and the module may be the same.
vi.mock('node-forge', async load => {
  const { default: forge } = await load<{ default: typeof Forge }>()
  const { rsa } = forge.pki
  if (rsa.generateKeyPair.name !== 'pooledKeyPair')
    rsa.generateKeyPair = pooled(rsa.generateKeyPair) as typeof rsa.generateKeyPair
  return { default: forge }
})
