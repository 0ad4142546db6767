import { expect, it, vi } from 'vitest'
import { whileWaiting } from '../../../lib/system/waiting.ts'

it('tells after two seconds, every ten from then on, and no more once it is stopped', () => {
  vi.useFakeTimers()
  try {
    const tell = vi.fn()
    const stop = whileWaiting(tell)
    const told = [1999, 1, 9999, 1, 10_000].map(time => {
      vi.advanceTimersByTime(time)
      return tell.mock.calls.length
    })
    expect(told).toEqual([0, 1, 1, 2, 3])
    stop()
    vi.advanceTimersByTime(60_000)
    expect(tell).toHaveBeenCalledTimes(3)
  } finally {
    vi.useRealTimers()
  }
})
