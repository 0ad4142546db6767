/** Clocks for tests. */
import type { Clock } from '../../lib/appliance/tls/clock.ts'

/** One that a source of time has set, on a machine whose image was made this long before. */
export const rightClock = (now: Date): Clock => ({
  now,
  isSynchronised: true,
  earliest: new Date(now.getTime() - 30 * 86_400_000),
})
