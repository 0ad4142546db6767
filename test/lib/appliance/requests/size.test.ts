import { expect, it } from 'vitest'
import { largestBody, stackLimit } from '../../../../lib/appliance/requests/size.ts'
import { MiB } from '../../../../lib/appliance/sizing/memory.ts'

const GiB = 1024 * MiB

// 16 bytes for each token of context, 1 to 8 MiB, and at most what memory affords.
it.each([
  [512, 32 * GiB, MiB],
  [4096, 32 * GiB, MiB],
  [65_537, 32 * GiB, MiB + 16],
  [131_072, 32 * GiB, 2 * MiB],
  [1_000_000, 32 * GiB, 8 * MiB],
  [131_072, GiB, MiB],
  [131_072, GiB / 2, MiB / 2],
])(
  'a context of %d tokens with %d bytes of memory takes bodies of up to %d bytes',
  (contextSize, memoryLimit, bytes) => {
    expect(largestBody({ contextSize, memoryLimit })).toBe(bytes)
  },
)

it.each([GiB / 2, GiB, 32 * GiB])(
  'with %d bytes of memory, the stack has 512 bytes for each of the largest body',
  memoryLimit => {
    const plan = { contextSize: 1_000_000, memoryLimit }
    expect(stackLimit(plan)).toBe(512 * largestBody(plan))
    expect(stackLimit(plan)).toBeLessThanOrEqual(memoryLimit / 2)
  },
)
