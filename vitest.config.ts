/** Unit tests, those with the real programs on this machine (some of them alone), and those of the booted image. */

import { statfsSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const minute = 60_000

/** For unit tests, which call fsync thousands of times. A container's may be as small as 64 MB. */
const memory = statfsSync('/dev/shm')
const temporaryFolder = memory.bavail * memory.bsize > 2 ** 30 ? '/dev/shm' : tmpdir()

/** What these assert depends on how fast the machine is, or changes it: nothing runs beside them. */
const alone = ['hangs', 'huge-pages', 'speed'].map(name => `test/integration/${name}.test.ts`)

/** Integration and VM tests share four workers, since they often wait: for timers, disks, and what restarts. */
const shared = { maxWorkers: 4, sequence: { groupOrder: 1 } }
/**
 * Real programs on a machine that may be busy: what fails is tried once more, so that a whole run of half an hour is not
 * lost to one row. Its totals name each test that passed only then.
 */
const retry = 1
const timeouts = { testTimeout: 5 * minute, hookTimeout: 20 * minute }

/**
 * Those of a minute or more, the longest first, so that all workers end at the same time. The first bakes the image and
 * boots the emulated VM; the second takes as long as the bake; the containers need the image.
 */
const long = [
  ...[
    'vm/vm',
    'integration/many-clients',
    'vm/changes',
    'vm/heal',
    'vm/survive',
    'vm/upgrade',
    'vm/model',
    'vm/appliance',
  ],
  ...[
    'vm/router',
    'vm/random-kills',
    'vm/sovereignty',
    'integration/memory',
    'integration/hostile-requests',
    'integration/clients',
    'vm/kill',
  ],
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = long.findIndex(name => moduleId.endsWith(`/test/${name}.test.ts`))
      return place < 0 ? long.length : place
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    reporters: ['verbose', './test/support/totals.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{lib,lifecycle,packer}/**/*.test.ts', 'test/*.test.ts'],
          setupFiles: ['test/support/pooled-keys.ts', 'test/support/captured-output.ts'],
          isolate: false,
          // Machines may be busy: the slowest of these takes a second by itself.
          testTimeout: 30_000,
          // They wait more than half of their time: for timers, and for the programs that they run.
          maxWorkers: 3 * availableParallelism(),
          env: { TMPDIR: temporaryFolder },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/{integration,mirror}/**/*.test.ts'],
          exclude: alone,
          ...timeouts,
          retry,
          ...shared,
        },
      },
      {
        test: {
          name: 'vm',
          include: ['test/vm/**/*.test.ts'],
          testTimeout: 10 * minute,
          // An emulated VM on a busy machine is ten times slower than on a quiet one.
          hookTimeout: 60 * minute,
          // Of the containers that wait at the same time, in one file.
          maxConcurrency: 8,
          retry,
          globalSetup: 'test/vm/shared.ts',
          ...shared,
        },
      },
      {
        test: {
          name: 'integration-alone',
          include: alone,
          ...timeouts,
          retry,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
