import { expect, it } from 'vitest'
import { drainState, stillRunning } from '../../../../lib/appliance/services/drain.ts'

it.each<[string, (number | undefined)[], number, string]>([
  ['nothing was seen running twice', [0, 0], 1, 'drained'],
  ['nothing was seen running only once', [0], 0, 'waiting'],
  ['a request has been admitted meanwhile', [0, 1], 1, 'waiting'],
  ['one has ended just now', [1, 0], 1, 'waiting'],
  ['one has been admitted since', [0, 0, 1], 1, 'waiting'],
  ['the last of several has ended', [2, 1, 0, 0], 1, 'drained'],
  ['it could not be seen', [0, undefined, 0], 1, 'waiting'],
  ['one runs, and the limit is not reached', [1, 1], 299, 'waiting'],
  ['one runs at the limit', [1, 1], 300, 'over'],
  ['nothing runs at the limit', [0, 0], 300, 'drained'],
])('%s', (_, running, seconds, state) => {
  expect(drainState(running, seconds, 300)).toBe(state)
})

it.each([
  [1, /^1 request is still/],
  [2, /^2 requests are still/],
  [undefined, /could not be seen/],
])('%s still running', (running, words) => {
  expect(stillRunning(running)).toMatch(words)
})
