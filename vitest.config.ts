/** Three kinds of tests: pure ones, those against real programs on this machine, those in a VM. */
import { defineConfig } from 'vitest/config'

const minute = 60_000

export default defineConfig({
  test: {
    reporters: ['verbose', './test/totals.ts'],
    projects: [
      {
        test: { name: 'unit', include: ['test/{lib,lifecycle,packer,house}/**/*.test.ts', 'test/*.test.ts'] },
      },
      {
        test: {
          name: 'integration',
          include: ['test/{integration,mirror}/**/*.test.ts'],
          testTimeout: 5 * minute,
          hookTimeout: 20 * minute,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'vm',
          include: ['test/vm/**/*.test.ts'],
          testTimeout: 10 * minute,
          hookTimeout: 60 * minute,
          fileParallelism: false,
          sequence: { concurrent: false },
        },
      },
    ],
  },
})
