import { describe, expect, it } from 'vitest'
import {
  expiredText,
  failedText,
  loadingAgainText,
  noModelText,
  restartingText,
  stoppedText,
} from '../../../../lib/appliance/services/availability.ts'
import {
  afterFailure,
  attemptsToLoad,
  causeOf,
  loadTimeout,
  noRestarts,
  pauseAfter,
  type Restarts,
} from '../../../../lib/appliance/services/restarts.ts'

/** Consecutive failures, each after the model was loaded for `loaded` seconds. */
function fail(times: number, { hasServed, loaded }: { hasServed: boolean; loaded?: number }) {
  let restarts: Restarts = noRestarts
  let now = 0
  const pauses: number[] = []
  for (let time = 0; time < times; time += 1) {
    const loadedAt = loaded === undefined ? {} : { loadedAt: now }
    now += loaded ?? 1
    const verdict = afterFailure({ ...restarts, ...loadedAt }, { cause: 'crashed', now, hasServed })
    if (verdict.isGivenUp) return { pauses, givenUpAfter: time + 1, restarts: verdict.restarts }
    restarts = verdict.restarts
    pauses.push(restarts.next - now)
    now = restarts.next
  }
  return { pauses, givenUpAfter: undefined, restarts }
}

describe('llama-server after an unexpected exit', () => {
  it('is restarted forever if it has served, after pauses that grow to a minute', () => {
    const { pauses, givenUpAfter } = fail(100, { hasServed: true, loaded: 5 })
    expect(givenUpAfter).toBeUndefined()
    expect(pauses.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
    expect(Math.max(...pauses)).toBe(60)
  })

  it('is restarted after the shortest pause if it has served for ten minutes', () => {
    expect(fail(20, { hasServed: true, loaded: 600 }).pauses).toEqual(Array(20).fill(1))
  })

  it('is given up if it never loads; a start by hand gets the full number of attempts', () => {
    const { givenUpAfter, restarts } = fail(100, { hasServed: false })
    expect(givenUpAfter).toBe(attemptsToLoad)
    expect(restarts.failures).toBe(0)
    expect(fail(attemptsToLoad - 1, { hasServed: false }).givenUpAfter).toBeUndefined()
  })
})

it("never waits longer than systemd's start timeout", () => {
  expect(Math.max(...Array.from({ length: 5000 }, (_, index) => pauseAfter(index + 1)))).toBeLessThan(90)
})

it.each([
  [{ result: 'core-dump', exitCode: 'dumped', exitStatus: 'SEGV' }, 'crashed (segmentation fault)'],
  [{ result: 'core-dump', exitCode: 'dumped', exitStatus: 'ABRT' }, 'crashed (aborted)'],
  [{ result: 'core-dump', exitCode: 'dumped', exitStatus: 'BUS' }, 'crashed (bus error)'],
  [{ result: 'core-dump', exitCode: 'dumped', exitStatus: 'ILL' }, 'crashed (illegal instruction)'],
  [{ result: 'core-dump', exitCode: 'dumped', exitStatus: 'FPE' }, 'crashed (arithmetic error)'],
  [{ result: 'signal', exitCode: 'killed', exitStatus: 'KILL' }, 'was killed by signal KILL'],
  [{ result: 'timeout', exitCode: 'killed', exitStatus: 'TERM' }, 'did not start in time'],
  [{ result: 'watchdog', exitCode: 'killed', exitStatus: 'ABRT' }, 'stopped answering'],
  [{ result: 'oom-kill', exitCode: 'killed', exitStatus: 'KILL' }, 'ran out of memory'],
  [{ result: 'exit-code', exitCode: 'exited', exitStatus: '1' }, 'exited with code 1'],
  [{ result: 'success', exitCode: 'exited', exitStatus: '0' }, 'exited with code 0'],
  [{ result: undefined, exitCode: undefined, exitStatus: undefined }, 'was killed by signal unknown'],
])('describes %j as: %s', (end, cause) => {
  expect(causeOf(end)).toBe(cause)
})

it.each([
  [0, 600],
  [1, 601],
  [10_000_000, 601],
  // 14.3 GB at 10 MB/s.
  [14_334_446_752, 2034],
])('allows time to load %d bytes even from the slowest disk: %d s', (bytes, seconds) => {
  expect(loadTimeout(bytes)).toBe(seconds)
})

it('begins to count failures anew after ten minutes with the model loaded, not with it loading', () => {
  const before = { failures: 5, endedAt: 0, next: 0, cause: 'crashed' }
  const failuresAt = (now: number, loadedAt?: number) =>
    afterFailure(loadedAt === undefined ? before : { ...before, loadedAt }, {
      cause: 'x',
      now,
      hasServed: true,
    }).restarts.failures
  expect(failuresAt(9000)).toBe(6)
  expect(failuresAt(9000, 8401)).toBe(6)
  expect(failuresAt(9000, 8400)).toBe(1)
})

it.each([
  [
    () => restartingText('crashed (aborted)', new Date(0), new Date(8000)),
    'llama-server crashed (aborted) at 00:00:00 UTC; it will be restarted at 00:00:08 UTC.',
  ],
  [
    () => loadingAgainText('crashed (aborted)', new Date(0)),
    'llama-server crashed (aborted) at 00:00:00 UTC; it is loading the model again.',
  ],
  [
    () => failedText('exited with code 1', 8),
    'The model cannot be loaded: llama-server exited with code 1, in the last of 8 attempts. To find the reason, the administrator can run: journalctl -u slm-copilot',
  ],
  [() => stoppedText(new Date(86_399_999)), 'llama-server was stopped at 23:59:59 UTC.'],
  [
    () => expiredText(new Date('2026-02-14T23:59:59Z')),
    'The certificate expired on 2026-02-14. For what to do, the administrator can run: slm-copilot doctor',
  ],
  [() => noModelText('one\u001b\u200b\u001b[31m'), 'one [31m'],
  [() => noModelText('x'.repeat(301)), 'x'.repeat(300)],
])('tells clients: %#', (reason, text) => {
  expect(reason()).toBe(text)
})
