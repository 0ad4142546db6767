import { expect, it } from 'vitest'
import { fetchLine, pauseAfter, verificationLine } from '../../../../lib/appliance/models/fetching.ts'

it.each([
  [{ act: 'downloading', percent: 43, secondsLeft: 372 }, 'Downloading m: 43 %, about 6 min left'],
  [{ act: 'downloading', percent: 2, secondsLeft: 7500 }, 'Downloading m: 2 %, about 2 h 5 min left'],
  [{ act: 'downloading', percent: 2, secondsLeft: 3599 }, 'Downloading m: 2 %, about 1 h 0 min left'],
  [{ act: 'downloading', percent: 99, secondsLeft: 20 }, 'Downloading m: 99 %, less than a minute left'],
  [{ act: 'downloading', percent: 98, secondsLeft: 60 }, 'Downloading m: 98 %, about 1 min left'],
  [{ act: 'downloading', percent: 98, secondsLeft: 59 }, 'Downloading m: 98 %, less than a minute left'],
  [{ act: 'downloading', percent: 100 }, 'Downloading m: 100 %'],
  [{ act: 'verifying', percent: 7 }, 'Computing the SHA-256 of m: 7 %'],
] as const)('describes %o', (progress, line) => {
  expect(fetchLine('m', progress)).toBe(line)
})

it('waits longer after each failure, at most an hour', () => {
  expect([1, 2, 3, 8, 9, 100].map(pauseAfter)).toEqual([15, 30, 60, 1920, 3600, 3600])
})

it('says that a downloaded model is being verified', () => {
  expect(verificationLine('m')).toBe('m is downloaded; whether it answers is being verified.')
})
