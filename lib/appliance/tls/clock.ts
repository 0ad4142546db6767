/** What is known of the machine's clock, and the dates that certificates get and keep by it. */
import { validity } from './certificates.ts'

export type Clock = {
  now: Date
  /** Whether a source of time (the hypervisor, an NTP server) has set it. */
  isSynchronised: boolean
  /** No right clock shows less: the image was made then. */
  earliest: Date
}

/** From and to when a certificate is valid. */
export type Dates = { from: Date; to: Date }

/** The first release of this appliance: where nothing else is known, no right clock shows less. */
export const firstRelease = new Date('2026-01-01T00:00:00Z')

const day = 86_400_000
/** Days that a leaf may be valid at most: Apple refuses more (support.apple.com/en-us/103769). */
const longest = 825
/** Days that a leaf's validity begins before now: as clocks differ. */
const margin = 30

const days = (from: Date, count: number) => new Date(from.getTime() + count * day)
const daysBetween = (from: Date, to: Date) => (to.getTime() - from.getTime()) / day
const earlier = (a: Date, b: Date) => (a < b ? a : b)
const later = (a: Date, b: Date) => (a > b ? a : b)

/** What a leaf is dated by under a clock that nothing confirms: from the first moment that a right one may show. */
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

/** A new CA's dates: never later than a right clock's now. */
export function caDates({ now, isSynchronised, earliest }: Clock): Dates {
  if (isSynchronised) return { from: days(now, -1), to: days(now, validity.ca) }
  return { from: days(earliest, -1), to: days(earliest, validity.ca) }
}

/**
 * A new leaf's dates under a CA: none that a right clock refuses. By a clock that nothing confirms they are as wide as
 * clients accept, by one that cannot be right as wide as the CA's.
 */
export function leafDates(clock: Clock, ca: Dates): Dates {
  if (!isCredible(clock, ca)) return ca
  if (!clock.isSynchronised) return widestLeaf(clock, ca)
  return {
    from: later(ca.from, days(clock.now, -margin)),
    to: earlier(ca.to, days(clock.now, validity.leaf)),
  }
}

/** Whether a leaf may stay: by a credible clock, as long as it goes on and is not too long; by another, unless it is over. */
export function isLeafGood(clock: Clock, leaf: Dates, ca: Dates): boolean {
  const { now } = clock
  if (!isCredible(clock, ca)) return now < leaf.to || leaf.to.getTime() === ca.to.getTime()
  const lasts = daysBetween(now, leaf.to) > validity.renewBefore || leaf.to >= ca.to
  return leaf.from <= now && lasts && daysBetween(leaf.from, leaf.to) <= longest
}

/** Whether a CA may stay. Its end, and its beginning, count by a clock that is confirmed; its end also where it was over before the image was made. */
export function isCaInTime({ now, isSynchronised, earliest }: Clock, { from, to }: Dates): boolean {
  if (to <= earliest) return false
  return !isSynchronised || (from <= days(now, 1) && daysBetween(now, to) > validity.leaf)
}
