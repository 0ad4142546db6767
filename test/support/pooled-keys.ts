/**
 * For unit tests, which need hundreds of RSA keys: short ones from a pool, because generating and using keys of full
 * length took most of their time. Consecutive keys differ. Integration and VM tests use real ones.
 */
import type Forge from 'node-forge'
import { vi } from 'vitest'

const size = 6

/** Wraps a key generator in a pool: it is called once for each key of the pool. */
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

// This runs for each test file, but several files may share the module.
vi.mock('node-forge', async load => {
  const { default: forge } = await load<{ default: typeof Forge }>()
  const { rsa } = forge.pki
  if (rsa.generateKeyPair.name !== 'pooledKeyPair')
    rsa.generateKeyPair = pooled(rsa.generateKeyPair) as typeof rsa.generateKeyPair
  return { default: forge }
})
