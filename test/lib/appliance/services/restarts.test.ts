import { describe, expect, it } from 'vitest'
import {
  hasFailed,
  hasNoModel,
  isLoadingAgain,
  isRestarting,
  isStopped,
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
    now += (loaded ?? 1) * 1000
    const verdict = afterFailure({ ...restarts, ...loadedAt }, { cause: 'crashed', now, hasServed })
    if (verdict.isGivenUp) return { pauses, givenUpAfter: time + 1, restarts: verdict.restarts }
    restarts = verdict.restarts
    pauses.push((restarts.next - now) / 1000)
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
  [{ result: 'signal', exitCode: 'killed', exitStatus: 'KILL' }, 'was killed by signal KILL'],
  [{ result: 'oom-kill', exitCode: 'killed', exitStatus: 'KILL' }, 'ran out of memory'],
  [{ result: 'exit-code', exitCode: 'exited', exitStatus: '1' }, 'exited with code 1'],
  [{ result: 'success', exitCode: 'exited', exitStatus: '0' }, 'exited with code 0'],
  [{ result: undefined, exitCode: undefined, exitStatus: undefined }, 'was killed by signal unknown'],
])('describes %j as: %s', (end, cause) => {
  expect(causeOf(end)).toBe(cause)
})

it('allows loading more time than the slowest disk needs', () => {
  expect(loadTimeout(0)).toBe(600)
  // 14.3 GB at 10 MB/s: 1430 s.
  expect(loadTimeout(14_334_446_752)).toBeGreaterThan(2000)
})

it.each([
  isRestarting('crashed (aborted)', 0, 8000),
  isLoadingAgain('crashed (aborted)', 0),
  hasFailed('exited with code 1', 8),
  isStopped(0),
  hasNoModel(`one\u001b[31m${'x'.repeat(500)}`),
])('tells clients: %s', reason => {
  expect(reason).toMatch(/^[\x20-\x7e]{10,300}$/)
})
