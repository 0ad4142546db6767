import { describe, expect, it } from 'vitest'
import {
  checkEvery,
  type History,
  type Judgement,
  judge,
  limits,
  type Observation,
} from '../../../../lib/appliance/services/watchdog.ts'

const bounds = { ...limits, loading: 1800 }
const quiet: Observation = {
  invocation: 'a',
  reply: 'answer',
  cpuTime: 0,
  isRunning: false,
  isStopped: false,
  requests: 0,
}

/** The last judgement after observing the same thing for so many seconds. `cpu`: CPUs in use. */
function watch(
  seen: Partial<Observation>,
  seconds: number,
  cpu = 0,
): (Judgement & { after: number }) | undefined {
  let history: History | undefined
  let last: (Judgement & { after: number }) | undefined
  for (let time = 0; time <= seconds; time += checkEvery) {
    const judgement = judge(history, { ...quiet, ...seen, cpuTime: cpu * time }, bounds, time * 1000)
    if (judgement === undefined) return undefined
    history = judgement.history
    last = { ...judgement, after: time }
    if (judgement.verdict === 'hung') return last
  }
  return last
}

const hours = 4 * 3600

describe('a service is left alone', () => {
  it.each<[string, Partial<Observation>, number, number]>([
    ['idle, for hours', {}, hours, 0],
    ['computing, and answering in time', { isRunning: true, requests: 4 }, hours, 8],
    [
      'a long prompt: batches longer than the reply time-out',
      { reply: 'silence', isRunning: true, requests: 1 },
      800,
      8,
    ],
    ['a slow CPU, observed while no thread runs', { reply: 'silence', requests: 1 }, 800, 0.5],
    ['a CPU that hardly advances', { reply: 'silence', requests: 1 }, 800, 0.03],
    ['weights being read from disk again', { reply: 'silence', isRunning: true, requests: 1 }, 800, 0],
    ['loading from a slow disk', { reply: 'loading', isRunning: true }, 1700, 0.1],
    ['stopped, or being restarted', { invocation: '', reply: 'nobody' }, hours, 0],
    ['not listening yet', { reply: 'nobody', isRunning: true }, checkEvery, 0],
    ['silent once', { reply: 'silence' }, checkEvery, 0],
  ])('%s', (_, seen, seconds, cpu) => {
    expect(['hung', 'ask for a token']).not.toContain(watch(seen, seconds, cpu)?.verdict)
  })
})

describe('a service has hung', () => {
  it.each<[string, Partial<Observation>, number, number, RegExp]>([
    ['stopped by a signal', { reply: 'silence', isStopped: true }, 0, 45, /stopped by a signal/],
    ['one process of several stopped', { isStopped: true }, 0, 45, /stopped by a signal/],
    ['deadlocked', { reply: 'silence', requests: 2 }, 0, 45, /stopped answering/],
    ['deadlocked, with a timer that ticks', { reply: 'silence', requests: 2 }, 0.01, 45, /stopped answering/],
    ['its socket is gone', { reply: 'nobody' }, 0, 30, /stopped listening/],
    [
      'its socket is gone while it computes',
      { reply: 'nobody', isRunning: true },
      8,
      30,
      /stopped listening/,
    ],
    ['computes forever', { reply: 'silence', isRunning: true }, 1, 900, /for 15 minutes without answering/],
    ['loads forever', { reply: 'loading', isRunning: true }, 1, 1800, /loading the model/],
  ])('%s', (_, seen, cpu, after, problem) => {
    const last = watch(seen, hours, cpu)
    expect(last).toMatchObject({ verdict: 'hung', after, problem: expect.stringMatching(problem) })
  })
})

it('asks for a token only if requests wait and nothing is computed', () => {
  expect(watch({ requests: 2 }, 40)?.verdict).toBe('wait')
  expect(watch({ requests: 2 }, 60)?.verdict).toBe('ask for a token')
  expect(watch({ requests: 2, isRunning: true }, hours)?.verdict).toBe('healthy')
  expect(watch({ requests: 2, reply: 'loading' }, 60)?.verdict).toBe('wait')
})

it.each([
  [500, 0.05, 'ask for a token'],
  [500, 0.2, 'healthy'],
  [15_000, 0.2, 'ask for a token'],
  [15_000, 0.4, 'healthy'],
])('every %i ms, %f s of CPU time: %s', (interval, cpuTime, verdict) => {
  let history: History | undefined
  for (let count = 0; count * interval < limits.waiting * 1000; count += 1)
    history = judge(
      history,
      { ...quiet, requests: 1, cpuTime: count * cpuTime },
      bounds,
      count * interval,
    )?.history
  const last = { ...quiet, requests: 1, cpuTime: (history?.cpuTime ?? 0) + cpuTime }
  expect(judge(history, last, bounds, (history?.at ?? 0) + interval)?.verdict).toBe(verdict)
})

it('ignores observations of another run, and those before an answer', () => {
  const first = judge(undefined, { ...quiet, reply: 'silence' }, bounds, 0)
  const later = { ...quiet, reply: 'silence' as const }
  expect(judge(first?.history, { ...later, invocation: 'b' }, bounds, 60_000)?.verdict).toBe('wait')
  const answered = judge(first?.history, quiet, bounds, 20_000)
  expect(judge(answered?.history, later, bounds, 60_000)?.verdict).toBe('wait')
  expect(judge(first?.history, later, bounds, 60_000)?.verdict).toBe('hung')
})
