import { expect, it, vi } from 'vitest'
import { waitFor, whileWaiting } from '../../../lib/system/waiting.ts'

it('reports after two seconds, then every ten, and not after it is stopped', () => {
  vi.useFakeTimers()
  try {
    const report = vi.fn()
    const stop = whileWaiting(report)
    const reports = [1999, 1, 9999, 1, 10_000].map(time => {
      vi.advanceTimersByTime(time)
      return report.mock.calls.length
    })
    expect(reports).toEqual([0, 1, 1, 2, 3])
    stop()
    vi.advanceTimersByTime(60_000)
    expect(report).toHaveBeenCalledTimes(3)
  } finally {
    vi.useRealTimers()
  }
})

it.each([
  ['1970-01-02', 0.3, 9, 'Waiting took longer than 0 minutes'],
  ['2040-01-01', 60, 2, 'there'],
])('waits for its time, although the clock is set to %s meanwhile', async (time, seconds, polls, outcome) => {
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    let count = 0
    const poll = async () => {
      if (count === 1) vi.setSystemTime(new Date(time))
      count += 1
      return count > polls ? 'there' : undefined
    }
    const ended = await waitFor(poll, () => {}, seconds, 'Waiting').catch(({ message }: Error) => message)
    expect(ended).toBe(outcome)
  } finally {
    vi.useRealTimers()
  }
})
