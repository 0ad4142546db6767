/** Dates of certificates under a right, an unconfirmed and an impossible clock. */
import { describe, expect, it } from 'vitest'
import { fileToTrust } from '../../../../lib/appliance/tls/certificates.ts'
import {
  type Clock,
  caDates,
  isCaInTime,
  isClockAtFault,
  isCredible,
  isLeafInTime,
  leafDates,
} from '../../../../lib/appliance/tls/clock.ts'

const day = 86_400_000
const built = new Date('2026-03-01T00:00:00Z')
/** So many days after the image was built. */
const at = (days: number) => new Date(built.getTime() + days * day)
const span = (from: number, to: number) => ({ from: at(from), to: at(to) })
const clock = (days: number, isSynchronised: boolean): Clock => ({
  now: at(days),
  isSynchronised,
  earliest: built,
})

it.each([
  // Confirmed by a time source: a day back, because clocks differ.
  [clock(100, true), span(99, 3750)],
  [clock(-20_000, true), span(-20_001, -16_350)],
  // Unconfirmed: it may be any time since the image was built.
  [clock(100, false), span(-1, 3650)],
  [clock(-20_000, false), span(-1, 3650)],
])("a new CA's dates by %j", (when, dates) => {
  expect(caDates(when)).toEqual(dates)
})

/** Clients accept a leaf for 825 days: one from a day before the build ends on day 823, and is renewed on day 793. */
describe('an unconfirmed clock is credible', () => {
  it.each([
    [-2, false],
    [-1, true],
    [0, true],
    [792, true],
    [793, false],
    [5000, false],
  ])('%d days after the image was built: %s', (days, expected) => {
    expect(isCredible(clock(days, false))).toBe(expected)
    expect(isCredible(clock(days, true))).toBe(true)
  })

  it.each([
    // Under a CA that begins later, from its first day on.
    [span(100, 3650), 99, false],
    [span(100, 3650), 100, true],
    [span(100, 3650), 893, true],
    [span(100, 3650), 894, false],
    // Under a CA that ends earlier, until the last leaf would have to be renewed.
    [span(-1, 200), 169, true],
    [span(-1, 200), 170, false],
  ])('under the CA %j on day %d: %s', (ca, days, expected) => {
    expect(isCredible(clock(days, false), ca)).toBe(expected)
  })
})

it.each([
  ['confirmed: 90 days', clock(500, true), span(-1, 3650), span(470, 590)],
  ['confirmed, under a young CA', clock(500, true), span(499, 3650), span(499, 590)],
  ['confirmed, under a CA that ends soon', clock(500, true), span(-1, 550), span(470, 550)],
  [
    'unconfirmed: from the build, as long as clients accept',
    clock(500, false),
    span(-1, 3650),
    span(-1, 823),
  ],
  ['unconfirmed, under a CA that ends soon', clock(500, false), span(-1, 550), span(-1, 550)],
  ['impossible: as long as the CA', clock(-9000, false), span(-1, 3650), span(-1, 3650)],
])("a new leaf's dates: %s", (_, when, ca, dates) => {
  expect(leafDates(when, ca)).toEqual(dates)
})

const ca = span(-1, 3650)
it.each<[string, Clock, ReturnType<typeof span>, boolean, ReturnType<typeof span>?]>([
  ['31 days left', clock(100, true), span(70, 131), true],
  ['30 days left', clock(100, true), span(70, 130), false],
  ['valid from now on', clock(100, true), span(100, 190), true],
  ['valid from tomorrow', clock(100, true), span(101, 191), false],
  ['825 days, which clients accept', clock(0, true), span(-1, 824), true],
  ['826 days', clock(0, true), span(-1, 825), false],
  ['few days left, but the CA ends with it', clock(180, true), span(150, 200), true, span(-1, 200)],
  ['few days left, and the CA ended before', clock(180, true), span(150, 201), true, span(-1, 200)],
  ['few days left, and the CA goes on', clock(180, true), span(150, 200), false, span(-1, 201)],
  ['a clock that cannot be right, long before its end', clock(-9000, false), span(-1, 90), true],
  ['a clock that is no longer credible, 31 days before its end', clock(793, false), span(-1, 824), true],
  ['a clock that is no longer credible, 30 days before its end', clock(793, false), span(-1, 823), false],
  ['a clock that cannot be right, at its end', clock(9000, false), span(-1, 9000), false],
  ['a clock that cannot be right, after the end of leaf and CA', clock(9000, false), ca, true],
])('keeps a leaf: %s', (_, when, leaf, isKept, under = ca) => {
  expect(isLeafInTime(when, leaf, under)).toBe(isKept)
})

it.each([
  ['from yesterday', clock(100, true), span(99, 3750), true],
  ['from tomorrow, since clocks differ', clock(100, true), span(101, 3750), true],
  ['from the day after', clock(100, true), span(101.1, 3750), false],
  ['91 days left', clock(100, true), span(0, 191), true],
  ['90 days left: less than a new leaf', clock(100, true), span(0, 190), false],
  ['90 days left by an unconfirmed clock', clock(100, false), span(0, 190), true],
  ['from the future by an unconfirmed clock', clock(100, false), span(500, 3750), true],
  ['expired when the image was built', clock(100, false), span(-100, 0), false],
  ['expired a day after', clock(0.5, false), span(-100, 1), true],
  ['expired when the image was built, by a clock before that', clock(-500, true), span(-900, 0), false],
])('keeps a CA: %s', (_, when, dates, isKept) => {
  expect(isCaInTime(when, dates)).toBe(isKept)
})

it.each([
  ['private', false, 'ca.crt'],
  ['supplied', false, 'root.crt'],
  ['acme', false, 'root.crt'],
  ['acme', true, undefined],
  ['supplied', true, undefined],
] as const)('with a certificate that is %s, public: %s, developers trust %s', (mode, isPublic, file) => {
  expect(fileToTrust({ mode, isPublic })).toBe(file)
})

it.each([
  ['1970', clock(-20_000, false), span(-1, 823), true, true],
  ['1970, a supplied certificate', clock(-20_000, false), span(10, 100), false, true],
  ['2040', clock(5000, false), span(-1, 823), true, true],
  // It may have expired in truth: nobody renews it.
  ['2040, a supplied certificate', clock(5000, false), span(10, 100), false, false],
  ['a credible one', clock(200, false), span(10, 100), true, false],
  ['a confirmed one', clock(5000, true), span(-1, 823), true, false],
  ['a confirmed one in 1970', clock(-20_000, true), span(-1, 823), true, false],
  ['2040, a certificate that lasts', clock(5000, false), span(-1, 6000), true, false],
  ['2040, at its end', clock(5000, false), span(-1, 5000), true, true],
  ['2040, at its beginning', clock(5000, false), span(5000, 6000), true, false],
])('only the clock is wrong: %s', (_, when, dates, isOwn, expected) => {
  expect(isClockAtFault(when, dates, isOwn)).toBe(expected)
})
