/** What is known about the VM's clock, and how it determines certificates' dates and renewal. */

export type Clock = {
  now: Date
  /** Whether a source of time (the hypervisor, an NTP server) has set it. */
  isSynchronised: boolean
  /** The earliest possible time: when the image was built. */
  earliest: Date
}

/** When a certificate's validity begins and ends. */
export type Dates = { from: Date; to: Date }

/** The appliance's first release: the time cannot be earlier, whatever the clock says. */
export const firstRelease = new Date('2026-01-01T00:00:00Z')

/** Days: a leaf's validity, those left when renewed; a CA's validity, how long a new CA is announced. */
export const validity = { leaf: 90, renewBefore: 30, ca: 3650, announceCa: 30 } as const

const day = 86_400_000
/** Days: the longest validity of a leaf that clients accept (Apple: support.apple.com/en-us/103769). */
const longestLeaf = 825
/** Days before now that a leaf's validity begins, because clocks differ. */
const margin = 30

const days = (from: Date, count: number) => new Date(from.getTime() + count * day)
const daysBetween = (from: Date, to: Date) => (to.getTime() - from.getTime()) / day
const earlier = (a: Date, b: Date) => (a < b ? a : b)
const later = (a: Date, b: Date) => (a > b ? a : b)

/** A leaf's dates under an unconfirmed clock: from the earliest possible time, as long as clients accept. */
function widestLeaf({ earliest }: Clock, ca: Dates): Dates {
  const from = later(ca.from, days(earliest, -1))
  return { from, to: earlier(ca.to, days(from, longestLeaf - 1)) }
}

/** Whether the clock may be right: confirmed, or not long after the image was built or the CA issued. */
export function isCredible(clock: Clock, ca?: Dates): boolean {
  if (clock.isSynchronised) return true
  const { from, to } = widestLeaf(clock, ca ?? caDates(clock))
  return from <= clock.now && clock.now < days(to, -validity.renewBefore)
}

/**
 * Whether a certificate in use counts as expired, or as not valid yet, only because the clock is wrong. By a clock that
 * cannot be right that is so of the VM's own certificates, whose dates clients accept, and of any that it calls not valid
 * yet. `isOwn`: the VM's own CA has signed it.
 */
export const isClockAtFault = (clock: Clock, { from, to }: Dates, isOwn: boolean, ca?: Dates): boolean =>
  !isCredible(clock, ca) && (clock.now < from || (isOwn && to <= clock.now))

/** A new CA's dates. They begin no later than the actual time, whatever that is. */
export function caDates({ now, isSynchronised, earliest }: Clock): Dates {
  if (isSynchronised) return { from: days(now, -1), to: days(now, validity.ca) }
  return { from: days(earliest, -1), to: days(earliest, validity.ca) }
}

/**
 * A new leaf's dates under a CA, chosen so that it is valid at the actual time: for as long as clients accept
 * under an unconfirmed clock; for as long as the CA under one that cannot be right.
 */
export function leafDates(clock: Clock, ca: Dates): Dates {
  if (!isCredible(clock, ca)) return ca
  if (!clock.isSynchronised) return widestLeaf(clock, ca)
  return {
    from: later(ca.from, days(clock.now, -margin)),
    to: earlier(ca.to, days(clock.now, validity.leaf)),
  }
}

/**
 * Whether to keep a leaf. It must be valid for some time yet, even by a clock that is not credible, as an unconfirmed one
 * no longer is years after the image was built; by a credible clock, for no longer than clients accept.
 */
export function isLeafInTime(clock: Clock, leaf: Dates, ca: Dates): boolean {
  const { now } = clock
  const isLongEnough = daysBetween(now, leaf.to) > validity.renewBefore
  if (!isCredible(clock, ca)) return isLongEnough || leaf.to.getTime() === ca.to.getTime()
  const lasts = isLongEnough || leaf.to >= ca.to
  return leaf.from <= now && lasts && daysBetween(leaf.from, leaf.to) <= longestLeaf
}

/**
 * Whether to keep a CA. Its dates count only if a time source confirms the clock; but one that ended before
 * the image was built has expired by any clock.
 */
export function isCaInTime({ now, isSynchronised, earliest }: Clock, { from, to }: Dates): boolean {
  if (to <= earliest) return false
  return !isSynchronised || (from <= days(now, 1) && daysBetween(now, to) > validity.leaf)
}
