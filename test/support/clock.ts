/** Clocks for tests. */
import type { Clock } from '../../lib/appliance/tls/clock.ts'

/** A clock that a time source has set, on a machine whose image was built this long ago. */
export const rightClock = (now: Date): Clock => ({
  now,
  isSynchronised: true,
  earliest: new Date(now.getTime() - 30 * 86_400_000),
})
