/** The TLS decision as a table: what is on disk, what the clock shows, what the context requests. */
import { describe, expect, it } from 'vitest'
import type { Ca, InstalledPair, Leaf } from '../../../../lib/appliance/tls/certificates.ts'
import type { Clock } from '../../../../lib/appliance/tls/clock.ts'
import { decideTls, type SuppliedPair, type TlsFacts } from '../../../../lib/appliance/tls/decision.ts'
import type { AcmeFacts, Attempt } from '../../../../lib/appliance/tls/lets-encrypt.ts'
import { constraintsFor } from '../../../../lib/appliance/tls/name-constraints.ts'
import { tlsNotes } from '../../../../lib/appliance/tls/notes.ts'

const day = 86_400_000
const built = new Date('2026-03-01T00:00:00Z')
const now = new Date('2026-11-26T10:00:00Z')
const after = (date: Date, days: number) => new Date(date.getTime() + days * day)
const right: Clock = { now, isSynchronised: true, earliest: built }
const unconfirmed: Clock = { ...right, isSynchronised: false }
const wrong: Clock = { now: new Date('1970-01-01'), isSynchronised: false, earliest: built }

const names = { dns: ['copilot', 'localhost'], ip: ['192.0.2.7'] }
const withDomain = { ...names, dns: ['copilot.example.com', ...names.dns] }
const dates = (from: number, to: number) => ({ from: after(now, from), to: after(now, to) })

const ca = (fingerprint: string, changes: Partial<Ca> = {}, more: Partial<Ca['certificate']> = {}): Ca => ({
  pair: { certificate: `${fingerprint} PEM\n`, key: `${fingerprint} key` },
  hasKey: true,
  certificate: { dates: dates(-100, 3550), fingerprint, constraints: constraintsFor(names), ...more },
  ...changes,
})
const leaf = (issuer: string, changes: Partial<Leaf> = {}): Leaf => ({
  pair: { certificate: 'leaf PEM', key: 'leaf key' },
  dates: dates(-40, 80),
  issuer,
  isForNames: true,
  ...changes,
})
const replacedOn = (days: number, kept: Ca): Ca => ({
  ...kept,
  pair: {
    ...kept.pair,
    certificate: `Replaced ${after(now, days).toISOString()}\n${kept.pair.certificate}`,
  },
})

/** The decision, in short: CAs by fingerprint. */
function decided(facts: Partial<TlsFacts>) {
  const decision = decideTls({ clock: right, names, ...facts })
  return {
    ca: decision.ca?.certificate?.fingerprint ?? 'issue',
    previousCa: decision.previousCa?.certificate?.fingerprint ?? 'none',
    leaf: decision.leaf === undefined ? 'issue' : 'keep',
    inUse: decision.inUse?.mode ?? 'private',
    acme: decision.acme.state,
  }
}

const good = { ca: ca('A'), leaf: leaf('A') }
const kept = { ca: 'A', previousCa: 'none', leaf: 'keep', inUse: 'private', acme: 'satisfied' }
const renewed = { ...kept, leaf: 'issue' }
const fresh = { ...renewed, ca: 'issue' }
const replaced = { ...fresh, previousCa: 'A' }

describe("the VM's own CA and leaf", () => {
  it.each<[string, Partial<TlsFacts>, object]>([
    ['a first boot', {}, fresh],
    ['nothing amiss', good, kept],
    ['no leaf', { ca: ca('A') }, renewed],
    ['a leaf of another CA', { ...good, leaf: leaf('B') }, renewed],
    ['a leaf for other names', { ...good, leaf: leaf('A', { isForNames: false }) }, renewed],
    ['31 days left', { ...good, leaf: leaf('A', { dates: dates(-60, 31) }) }, kept],
    ['30 days left', { ...good, leaf: leaf('A', { dates: dates(-60, 30) }) }, renewed],
    ['a leaf valid too long for clients', { ...good, leaf: leaf('A', { dates: dates(-1, 900) }) }, renewed],
    ['a leaf without its CA', { leaf: leaf('A') }, fresh],
    ['a CA that was removed, with a previous one', { previousCa: ca('B') }, { ...fresh, previousCa: 'B' }],
    ['a name that the CA may not sign for', { ...good, names: withDomain }, replaced],
    ['a CA without constraints', { ...good, ca: ca('A', {}, { constraints: undefined }) }, replaced],
    ["a CA with another one's key", { ...good, ca: ca('A', { hasKey: false }) }, replaced],
    ['a CA file that is not a certificate', { ...good, ca: ca('A', { certificate: undefined }) }, fresh],
    ['a CA that ends in 91 days', { ...good, ca: ca('A', {}, { dates: dates(-9, 91) }) }, kept],
    ['a CA that ends in 90 days', { ...good, ca: ca('A', {}, { dates: dates(-9, 90) }) }, replaced],
    ['a CA from the future', { ...good, ca: ca('A', {}, { dates: dates(2, 3650) }) }, replaced],
    [
      'a CA that expired before the image was built',
      { ...good, ca: ca('A', {}, { dates: { from: new Date('1990-01-01'), to: built } }) },
      replaced,
    ],
  ])('%s', (_, facts, expected) => expect(decided(facts)).toEqual(expected))

  it.each<[string, Clock, Partial<TlsFacts>, object]>([
    ['nothing amiss, unconfirmed clock', unconfirmed, good, kept],
    [
      'a CA that ends soon, unconfirmed clock',
      unconfirmed,
      { ...good, ca: ca('A', {}, { dates: dates(-9, 60) }) },
      kept,
    ],
    ['a wrong clock', wrong, good, kept],
    ['an expired leaf, by a wrong clock', { ...wrong, now: after(now, 20_000) }, good, renewed],
  ])('%s', (_, clock, facts, expected) => expect(decided({ ...facts, clock })).toEqual(expected))

  const previous = replacedOn(-3, ca('B', {}, { constraints: constraintsFor(withDomain) }))
  it.each<[string, Partial<TlsFacts>, object]>([
    ['is kept beside a good one', { ...good, previousCa: previous }, { ...kept, previousCa: 'B' }],
    [
      'is used again if the current one may not sign, and that one is kept in its place',
      { ...good, previousCa: previous, names: withDomain },
      { ...renewed, ca: 'B', previousCa: 'A' },
    ],
    [
      'is not used again without its key',
      { ...good, previousCa: { ...previous, hasKey: false }, names: withDomain },
      replaced,
    ],
    [
      'is used again after a kill between writing the new key and its certificate',
      { ca: ca('A', { hasKey: false }), previousCa: replacedOn(0, ca('A')), leaf: leaf('A') },
      { ...kept, previousCa: 'A' },
    ],
    [
      'is kept, not its successor that is no certificate',
      { ca: ca('A', { certificate: undefined }), previousCa: previous, leaf: leaf('A') },
      { ...renewed, ca: 'B', previousCa: 'B' },
    ],
    [
      'without its key gives way to the current one, whose key is lost',
      { ca: ca('A', { hasKey: false }), previousCa: { ...previous, hasKey: false }, leaf: leaf('A') },
      replaced,
    ],
    [
      'gives way to one with its key that must be replaced',
      { ...good, previousCa: replacedOn(0, ca('A', { hasKey: false })), names: withDomain },
      replaced,
    ],
    [
      'that is no certificate gives way',
      { ...good, previousCa: ca('B', { certificate: undefined }), names: withDomain },
      replaced,
    ],
  ])('the previous CA %s', (_, facts, expected) => expect(decided(facts)).toEqual(expected))

  it('keeps the key of a replaced CA after such a kill, if another has to be issued', () => {
    const previousCa = replacedOn(0, ca('A'))
    const facts = { clock: right, names: withDomain, ca: ca('A', { hasKey: false }), previousCa }
    expect(decideTls(facts)).toMatchObject({ ca: undefined, previousCa })
  })

  it("marks a replaced CA with the time, without another one's key, and unmarks it when used again", () => {
    const at = now.toISOString()
    const replacedCa = decideTls({ clock: right, names: withDomain, ...good }).previousCa
    expect(replacedCa?.pair).toEqual({ certificate: `Replaced ${at}\nA PEM\n`, key: 'A key' })
    const lost = decideTls({ clock: right, names, ca: ca('A', { hasKey: false }) }).previousCa
    expect(lost?.pair).toEqual({ certificate: `Replaced ${at}\nA PEM\n`, key: '' })
    const again = decideTls({ clock: right, names, ca: ca('B', { hasKey: false }), previousCa: replacedCa })
    expect(again.ca?.pair.certificate).toBe('A PEM\n')
  })
})

const pair = { certificate: 'PEM', key: 'key' }
const supplied: SuppliedPair = { mode: 'supplied', target: 'certificates/supplied-1', pair, names: [] }
const order = { domain: 'copilot.example.com', server: 'https://acme.example.com/directory', hasCa: false }
const obtained: InstalledPair = { mode: 'acme', target: '../../letsencrypt/live/x', pair }
const issuedPair = (from: number, to: number, isForDomain = true) => ({
  ...obtained,
  dates: dates(from, to),
  isForDomain,
})
const failed = (changes: Partial<Attempt> = {}): Attempt => ({
  boot: 'before',
  at: after(now, -1).toISOString(),
  failures: 1,
  reason: 'DNS problem.',
  ...changes,
})
const acme = (changes: Partial<AcmeFacts> = {}): AcmeFacts => ({
  order,
  obtained: undefined,
  boot: 'this',
  last: undefined,
  ...changes,
})

describe('the pair in use, and what is ordered', () => {
  it.each<[string, Partial<TlsFacts>, string, string]>([
    ["only the VM's own pair", {}, 'private', 'satisfied'],
    ['a supplied pair', { supplied }, 'supplied', 'satisfied'],
    ['a supplied pair, wrong clock', { supplied, clock: wrong }, 'supplied', 'satisfied'],
    [
      'a supplied pair beside an obtained one',
      { supplied, acme: acme({ obtained: issuedPair(-1, 89) }) },
      'supplied',
      'satisfied',
    ],
    ['an order never tried', { acme: acme() }, 'private', 'due'],
    ['an obtained pair', { acme: acme({ obtained: issuedPair(-1, 89) }) }, 'acme', 'satisfied'],
    ['an expired pair', { acme: acme({ obtained: issuedPair(-91, 0) }) }, 'private', 'due'],
    ['a pair valid from now on', { acme: acme({ obtained: issuedPair(0, 90) }) }, 'acme', 'satisfied'],
    ['a pair valid from tomorrow', { acme: acme({ obtained: issuedPair(1, 90) }) }, 'private', 'due'],
    ['a pair for another domain', { acme: acme({ obtained: issuedPair(-1, 89, false) }) }, 'private', 'due'],
    [
      'an obtained pair, wrong clock',
      { clock: wrong, acme: acme({ obtained: issuedPair(-1, 89) }) },
      'acme',
      'satisfied',
    ],
    ['an order, wrong clock', { clock: wrong, acme: acme() }, 'private', 'deferred'],
    ['an order, unconfirmed clock', { clock: unconfirmed, acme: acme() }, 'private', 'due'],
    ['an attempt that failed a day ago', { acme: acme({ last: failed() }) }, 'private', 'due'],
    [
      'an attempt that failed in this boot',
      { acme: acme({ last: failed({ boot: 'this' }) }) },
      'private',
      'deferred',
    ],
    [
      'an attempt that failed just now, before a reboot',
      { acme: acme({ last: failed({ at: now.toISOString() }) }) },
      'private',
      'deferred',
    ],
    ['attempts that cannot be read', { acme: acme({ last: { unreadable: 'x' } }) }, 'private', 'deferred'],
  ])('%s', (_, facts, inUse, state) => {
    expect(decided({ ...good, ...facts })).toMatchObject({ inUse, acme: state })
  })

  const note = (facts: Partial<TlsFacts>) => {
    const decision = decideTls({ clock: right, names, ...facts }).acme
    return decision.state === 'deferred' ? decision.note : decision
  }
  it('notes why nothing is ordered, and counts the attempts', () => {
    const server = 'the ACME server https://acme.example.com/directory for copilot.example.com'
    expect(note({ acme: acme({ last: failed({ boot: 'this' }) }) })).toBe(
      `No certificate from ${server}: DNS problem. The VM's own certificate is in use. ` +
        'Next attempt: at the first boot after 2026-11-25T10:15:00Z.',
    )
    expect(note({ clock: wrong, acme: acme() })).toBe(
      `No certificate from ${server}: none is requested while the clock is wrong: it says 1970-01-01T00:00:00Z.`,
    )
    expect(note({ acme: acme({ last: { unreadable: 'It is a folder.' } }) })).toBe(
      `No certificate from ${server}: It is a folder.`,
    )
    expect(note({ acme: acme({ last: failed({ failures: 3 }) }) })).toMatchObject({ attempt: 4 })
  })
})

describe('the notes', () => {
  const state = { clock: right, names, ca: ca('A') }
  it.each([
    ['none', state, []],
    [
      'on a CA that the clock contradicts',
      { ...state, clock: wrong },
      [
        'The clock of this VM says 1970-01-01, and no time source confirms it. The CA, valid from 2026-08-18 to 2036-08-15, is kept. If the clock is wrong, correct it, e.g. by ONEAPP_COPILOT_NTP_SERVERS.',
      ],
    ],
    [
      'on a new CA, because of a name',
      { ...state, names: withDomain, previousCa: replacedOn(-29, ca('B')) },
      [
        "This VM has a new CA: trust it on each developer's machine in place of the previous one. The previous CA may not sign for copilot.example.com. SHA-256 of the previous CA: B and of the new CA: A",
      ],
    ],
    [
      'on a new CA, because of a key',
      { ...state, previousCa: replacedOn(0, ca('B', { hasKey: false })) },
      [expect.stringContaining("The previous CA's key was missing or damaged.")],
    ],
    [
      'on a new CA, because the previous one expired',
      { ...state, previousCa: replacedOn(0, ca('B')) },
      [expect.stringMatching(/in place of the previous one\. SHA-256/)],
    ],
    ['none after a month', { ...state, previousCa: replacedOn(-31, ca('B')) }, []],
    [
      'none after 100 days, counted from the first day of the new CA if the previous one has no date',
      { ...state, previousCa: ca('B') },
      [],
    ],
    [
      'on the last day on which a new CA is announced',
      { ...state, previousCa: replacedOn(-30, ca('B')) },
      [expect.stringContaining('SHA-256 of the previous CA: B and of the new CA: A')],
    ],
    [
      'on the last such day, counted from the day after the first of the new CA',
      { ...state, ca: ca('A', {}, { dates: dates(-31, 3550) }), previousCa: ca('B') },
      [expect.stringContaining('This VM has a new CA')],
    ],
    ['none a day later', { ...state, ca: ca('A', {}, { dates: dates(-32, 3550) }), previousCa: ca('B') }, []],
    ['none on a CA from now on', { ...state, ca: ca('A', {}, { dates: dates(0, 3550) }) }, []],
    [
      'on a CA that ends now',
      { ...state, ca: ca('A', {}, { dates: dates(-100, 0) }) },
      [expect.stringContaining('valid from 2026-08-18 to 2026-11-26, is kept')],
    ],
    ['none on a file that is not a certificate', { ...state, ca: ca('A', { certificate: undefined }) }, []],
    [
      'none on a previous file that is not a certificate',
      { ...state, previousCa: replacedOn(0, ca('B', { certificate: undefined })) },
      [],
    ],
    [
      'none on a new file that is not a certificate',
      { ...state, ca: ca('A', { certificate: undefined }), previousCa: replacedOn(0, ca('B')) },
      [],
    ],
    [
      'on all names that the previous CA may not sign for',
      {
        ...state,
        names: { ...names, dns: ['a.example', 'b.example'] },
        previousCa: replacedOn(0, ca('B')),
      },
      [expect.stringContaining(' may not sign for a.example, b.example. SHA-256')],
    ],
    [
      'on a supplied certificate for several other names',
      { ...state, supplied: { ...supplied, names: ['x.example', 'y.example'], missing: 'z.example' } },
      ['The supplied certificate is not for z.example: it is for x.example, y.example.'],
    ],
    [
      'none on a supplied certificate for the domain',
      { ...state, supplied: { ...supplied, names: ['x.example'] } },
      [],
    ],
    [
      'on a supplied certificate for other names',
      { ...state, supplied: { ...supplied, names: ['x.example'], missing: 'copilot.example.com' } },
      ['The supplied certificate is not for copilot.example.com: it is for x.example.'],
    ],
  ])('%s', (_, tls, said) => expect(tlsNotes(tls)).toEqual(said))
})
