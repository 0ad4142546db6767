import { expect, it, vi } from 'vitest'
import { whileWaiting } from '../../../lib/system/waiting.ts'

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
