import { expect, it } from 'vitest'
import { progressOf } from '../../../lib/system/download.ts'

it.each([
  [
    '[#2089b0 400.0KiB/33.2MiB(1%) CN:1 DL:115.7KiB ETA:4m51s]',
    { percent: 1, rate: '115.7KiB', secondsLeft: 291 },
  ],
  ['[#2089b0 1GiB/9GiB(12%) CN:8 DL:1.0MiB ETA:2h3s]', { percent: 12, rate: '1.0MiB', secondsLeft: 7203 }],
  ['[#2089b0 33.2MiB/33.2MiB(100%) CN:0 DL:12MiB]', { percent: 100, rate: '12MiB' }],
  ['FILE: /opt/x', undefined],
  [' *** Download Progress Summary as of Sat Feb 14 10:00:00 2026 *** ', undefined],
])('reads %s', (line, progress) => {
  expect(progressOf(line)).toEqual(progress)
})
