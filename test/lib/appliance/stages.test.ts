import { expect, it } from 'vitest'
import { inShort, resultOf } from '../../../lib/appliance/stages.ts'

const startedAt = '2026-02-14T10:00:00.000Z'
const endedAt = '2026-02-14T10:01:00.000Z'
it.each([
  [{ startedAt, endedAt }, false, 'success'],
  [{ startedAt, endedAt, problem: 'It failed.' }, false, 'failure'],
  [{ startedAt, endedAt }, true, 'success'],
  [{ startedAt }, true, 'running'],
  [{ startedAt }, false, 'interrupted'],
] as const)('a run %j, while a stage is at work: %s, is a %s', (run, isAtWork, result) => {
  expect(resultOf(run, isAtWork)).toBe(result)
})

it.each([
  ['It failed.\nHere is all of the log.', 'It failed.'],
  ['x'.repeat(301), 'x'.repeat(300)],
])('the message %j is, in short, %j', (message, short) => {
  expect(inShort(message)).toBe(short)
})
