/**
 * Only the unit tests of lib/ and of generated files, for Stryker, which does not support projects. Those of the stages would kill a few more
 * mutants, but take ten times as long. MUTATION_TESTS narrows the selection further.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      process.env.MUTATION_TESTS ?? 'test/{lib/{appliance,edge,render,steps}/**/*,generated}.test.ts',
    ],
    setupFiles: 'test/support/pooled-keys.ts',
    isolate: false,
    testTimeout: 60_000,
  },
})
