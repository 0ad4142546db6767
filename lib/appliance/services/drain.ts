/** Draining: before a VM stops, it admits no new requests, and lets running generations end. */

/** Seconds that running generations get by default. */
export const defaultDrainLimit = 300

/** The longest limit that may be set, in seconds. */
export const longestDrain = 3600

/** Seconds that systemd grants beyond the limit: to update OneGate, on a busy machine. */
export const drainMargin = 30

export type DrainState = 'drained' | 'waiting' | 'over'

/**
 * Whether the drain has ended. `running`: the requests being answered, as counted so far, the latest last; undefined
 * where they could not be counted. One count is not enough: a request may just have been admitted.
 */
export function drainState(running: (number | undefined)[], seconds: number, limit: number): DrainState {
  const [before, now] = running.slice(-2)
  if (before === 0 && now === 0) return 'drained'
  return seconds >= limit ? 'over' : 'waiting'
}

/** `2 requests are still being answered`. */
export function stillRunning(running: number | undefined): string {
  if (running === undefined) return 'how many requests are being answered could not be seen'
  return running === 1 ? '1 request is still being answered' : `${running} requests are still being answered`
}

/** For status, log and message of the day. */
export const drainingText = (since: string) =>
  `This VM has been draining since ${since}: it finishes the answers in progress, and accepts no new requests.`
