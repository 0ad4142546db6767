/** Waits with progress messages, by a clock that nobody sets: chrony may set the machine's at any moment. */
import { setTimeout as sleep } from 'node:timers/promises'

/** In milliseconds. */
const pollEvery = 250
const firstReportAfter = 2_000
const reportEvery = 10_000

/** Calls `report` after two seconds and every ten from then on, until the returned function is called. */
export function whileWaiting(report: () => void): () => void {
  let timer = setTimeout(function again() {
    report()
    timer = setTimeout(again, reportEvery)
  }, firstReportAfter)
  return () => clearTimeout(timer)
}

/**
 * Polls until `poll` resolves with a value other than undefined, calling `report` every ten seconds with the
 * elapsed seconds. Throws if `poll` throws, or if `what` takes longer than `atMost` seconds.
 */
export async function waitFor<T>(
  poll: () => Promise<T | undefined>,
  report: (seconds: number) => void,
  atMost: number,
  what: string,
): Promise<T> {
  const start = performance.now()
  let reportedAt = start
  for (;;) {
    const found = await poll()
    if (found !== undefined) return found
    if (performance.now() - start > atMost * 1000)
      throw new Error(`${what} took longer than ${Math.round(atMost / 60)} minutes`)
    await sleep(pollEvery)
    if (performance.now() - reportedAt < reportEvery) continue
    reportedAt = performance.now()
    report(Math.round((reportedAt - start) / 1000))
  }
}
