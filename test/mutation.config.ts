/** The unit tests alone, for Stryker, which takes no projects, and runs them in threads: no file changes its process. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{lib,lifecycle,packer}/**/*.test.ts'],
    exclude: ['test/lifecycle/dry-run.test.ts', 'test/lib/system/**'],
    setupFiles: 'test/support/pooled-keys.ts',
  },
})
