import { expect, it } from 'vitest'
import { progressOf } from '../../../lib/system/download.ts'

it.each([
  ['[#2089b0 400.0KiB/33.2MiB(1%) CN:1 DL:115.7KiB ETA:4m51s]', '1% of 14.3 GB, 115.7KiB/s, 4m51s left'],
  ['[#2089b0 33.2MiB/33.2MiB(100%) CN:0 DL:12MiB]', '100% of 14.3 GB, 12MiB/s'],
  ['FILE: /opt/x', undefined],
  [' *** Download Progress Summary as of Sat Feb 14 10:00:00 2026 *** ', undefined],
])('reads %s', (line, progress) => {
  expect(progressOf(line, 14_334_446_752)).toBe(progress)
})
