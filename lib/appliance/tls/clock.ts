/** What is known of the VM's clock, and the dates that certificates are given, and kept until, by it. */

export type Clock = {
  now: Date
  /** Whether a source of time (the hypervisor, an NTP server) has set it. */
  isSynchronised: boolean
  /** It is no earlier than this: when the image was made. */
  earliest: Date
}

/** From and to when a certificate is valid. */
export type Dates = { from: Date; to: Date }

/** The first release of this appliance: it is no earlier than that, whatever the clock says. */
export const firstRelease = new Date('2026-01-01T00:00:00Z')

/** Days that a leaf is valid, and before whose end it is renewed; days of the CA, and of announcing that it is new. */
export const validity = { leaf: 90, renewBefore: 30, ca: 3650, announceCa: 30 } as const

const day = 86_400_000
/** Days that clients accept a leaf to be valid: Apple refuses more (support.apple.com/en-us/103769). */
const longest = 825
/** Days that a leaf's validity begins before now: as clocks differ. */
const margin = 30

const days = (from: Date, count: number) => new Date(from.getTime() + count * day)
const daysBetween = (from: Date, to: Date) => (to.getTime() - from.getTime()) / day
const earlier = (a: Date, b: Date) => (a < b ? a : b)
const later = (a: Date, b: Date) => (a > b ? a : b)

/** A leaf's dates under a clock that nothing confirms: from the first moment that the right time may be. */
function widestLeaf({ earliest }: Clock, ca: Dates): Dates {
  const from = later(ca.from, days(earliest, -1))
  return { from, to: earlier(ca.to, days(from, longest - 1)) }
}

/** Whether the clock may be right: it is confirmed, or shows a time not long after the image, or the CA, was made. */
export function isCredible(clock: Clock, ca?: Dates): boolean {
  if (clock.isSynchronised) return true
  const { from, to } = widestLeaf(clock, ca ?? caDates(clock))
  return from <= clock.now && clock.now < days(to, -validity.renewBefore)
}

/** A new CA's dates. It begins no later than the right time, whatever that is. */
export function caDates({ now, isSynchronised, earliest }: Clock): Dates {
  if (isSynchronised) return { from: days(now, -1), to: days(now, validity.ca) }
  return { from: days(earliest, -1), to: days(earliest, validity.ca) }
}

/**
 * A new leaf's dates under a CA, such that it is valid at the right time: as long as clients accept under a clock that
 * nothing confirms; as long as the CA under one that cannot be right.
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
 * Whether a leaf may stay. By a credible clock, it must be valid for a while yet and not for longer than clients accept; by
 * another, it must not be over.
 */
export function isLeafInTime(clock: Clock, leaf: Dates, ca: Dates): boolean {
  const { now } = clock
  if (!isCredible(clock, ca)) return now < leaf.to || leaf.to.getTime() === ca.to.getTime()
  const lasts = daysBetween(now, leaf.to) > validity.renewBefore || leaf.to >= ca.to
  return leaf.from <= now && lasts && daysBetween(leaf.from, leaf.to) <= longest
}

/**
 * Whether a CA may stay. Its dates count by a clock that a time source confirms; by any clock it is over where it ended
 * before the image was made.
 */
export function isCaInTime({ now, isSynchronised, earliest }: Clock, { from, to }: Dates): boolean {
  if (to <= earliest) return false
  return !isSynchronised || (from <= days(now, 1) && daysBetween(now, to) > validity.leaf)
}
