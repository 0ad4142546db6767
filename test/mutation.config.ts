/**
 * The unit tests of the libraries, for Stryker, which takes no projects. Those of stages would find some mutants more, and
 * take ten times as long: what is pure is to be proven by what stands beside it. MUTATION_TESTS narrows them further.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [process.env.MUTATION_TESTS ?? 'test/lib/{appliance,edge,render,steps}/**/*.test.ts'],
    setupFiles: 'test/support/pooled-keys.ts',
    testTimeout: 60_000,
  },
})
