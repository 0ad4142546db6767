/** A clock affects the CA that clients trust only if it is synchronised, and no clock leads to an unusable leaf. */
import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { type Names, namesOf } from '../../lib/appliance/names.ts'
import { paths } from '../../lib/appliance/paths.ts'
import type { Clock } from '../../lib/appliance/tls/clock.ts'
import { releaseFile } from '../../lib/steps/models/release.ts'
import type { OwnPairs } from '../../lib/steps/tls/facts.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { configure } from '../../lifecycle/configure.ts'
import { type Certificates, decided, pairsOf } from '../support/certificates.ts'
import { facts, recordedHost } from '../support/recorded-host.ts'

const day = 86_400_000

const decideOwn = async (found: OwnPairs, names: Names, clock: Clock) =>
  pairsOf(await decided(found, names, clock))
const notesOn = async (found: OwnPairs, names: Names, clock: Clock) =>
  (await decided(found, names, clock)).notes

const built = new Date('2026-03-01T00:00:00Z')
/** The correct time. */
const right = new Date('2026-11-26T10:00:00Z')
const after = (date: Date, days: number) => new Date(date.getTime() + days * day)

const clockAt = (now: Date, isSynchronised = false): Clock => ({ now, isSynchronised, earliest: built })
const synchronised = clockAt(right, true)

const clocks: Record<string, Clock> = {
  '1970': clockAt(new Date('1970-01-01T00:00:10Z')),
  '1980': clockAt(new Date('1980-01-01T00:00:00Z')),
  'a day before the image was built': clockAt(after(built, -1)),
  'now, synchronised': synchronised,
  'now, not synchronised': clockAt(right),
  'a day after the image was built': clockAt(after(built, 1)),
  '2040': clockAt(new Date('2040-01-01T00:00:00Z')),
  '2106': clockAt(new Date('2106-02-07T06:28:15Z')),
}

const names = namesOf(facts, undefined)
const good = await decideOwn({}, names, synchronised)
const stranger = await decideOwn({}, names, synchronised)
const atFirstBoot = await decideOwn({}, names, clockAt(after(right, -10)))

const states: Record<string, OwnPairs> = {
  'a CA and a leaf': good,
  'those of a first boot without a synchronised clock': atFirstBoot,
  'a CA and the leaf of another': { ca: good.ca, leaf: stranger.leaf },
  nothing: {},
  'a CA with the key of another': { ca: { ...good.ca, key: stranger.ca.key }, leaf: good.leaf },
}

/** Whether a leaf and its CA match, and are valid at a time. */
function isAccepted({ ca, leaf }: Certificates, at: Date): boolean {
  const [authority, certificate] = [ca, leaf].map(pair => new X509Certificate(pair.certificate))
  if (authority === undefined || certificate === undefined) return false
  const inTime = [authority, certificate].every(each => each.validFromDate <= at && at < each.validToDate)
  return (
    inTime && certificate.verify(authority.publicKey) && certificate.validFromDate >= authority.validFromDate
  )
}

const daysLeft = ({ leaf }: Certificates, at: Date) =>
  (new X509Certificate(leaf.certificate).validToDate.getTime() - at.getTime()) / day
const lengthOf = ({ leaf }: Certificates) => {
  const { validFromDate, validToDate } = new X509Certificate(leaf.certificate)
  return (validToDate.getTime() - validFromDate.getTime()) / day
}

const table = Object.keys(clocks).flatMap(clock => Object.keys(states).map(state => ({ clock, state })))

it.each(table)('$state, and the clock says $clock', async ({ clock: clockName, state }) => {
  const [clock, found] = [clocks[clockName], states[state]]
  if (clock === undefined || found === undefined) throw new Error('no such case')
  const then = await decideOwn(found, names, clock)
  const mayStay = found.ca !== undefined && found.ca.key !== stranger.ca.key
  if (mayStay) expect(then.ca).toEqual(found.ca)
  expect(isAccepted(then, right)).toBe(true)
  expect(await decideOwn(then, names, clock)).toEqual(then)

  for (const again of [clockAt(right), synchronised]) {
    const back = await decideOwn(then, names, again)
    expect(back.ca).toEqual(then.ca)
    expect(isAccepted(back, right)).toBe(true)
    expect(lengthOf(back)).toBeLessThanOrEqual(825)
    expect(daysLeft(back, right)).toBeGreaterThan(30)
    expect(await decideOwn(back, names, again)).toEqual(back)
  }
})

it.each([
  ['expires in two months', clockAt(after(right, 3590), true), false],
  ['expires in two months by an unsynchronised clock', clockAt(after(right, 3590)), true],
  ['has expired by an unsynchronised clock', clockAt(after(right, 4000)), true],
  ['is not valid yet by an unsynchronised clock', clockAt(after(right, -100)), true],
  ['is not valid yet for years: made by a wrong clock', clockAt(after(right, -1000), true), false],
])('a CA that %s', async (_, clock, isKept) => {
  const next = await decideOwn(good, names, clock)
  expect(next.ca.certificate === good.ca.certificate).toBe(isKept)
  expect(next.previousCa?.key).toBe(isKept ? undefined : good.ca.key)
})

it('replaces a CA that expired before the image was built, whatever the clock says', async () => {
  const old = await decideOwn({}, names, { ...synchronised, now: new Date('1971-01-01') })
  for (const clock of [clockAt(new Date('1970-01-02')), clockAt(right)])
    expect((await decideOwn(old, names, clock)).ca).not.toEqual(old.ca)
})

it('notes what is kept although it is not valid by the clock', async () => {
  expect(await notesOn(good, names, synchronised)).toEqual([])
  expect(await notesOn(good, names, clockAt(new Date('1970-01-01')))).toEqual([
    expect.stringMatching(/clock of this VM says 1970-01-01, and no time source confirms it.*is kept/),
  ])
})

it('keeps the previous CA with its key, and goes back to it when its names return', async () => {
  const domain = namesOf(facts, 'copilot.example.com')
  const next = await decideOwn(good, domain, synchronised)
  expect(next.ca).not.toEqual(good.ca)
  expect(next.previousCa?.key).toBe(good.ca.key)
  // The next CA may sign for these too, so clients need not trust yet another one.
  expect((await decideOwn(next, names, synchronised)).ca).toEqual(next.ca)

  const moved = namesOf({ ...facts, hostname: 'other' }, undefined)
  const another = await decideOwn(next, moved, synchronised)
  const back = await decideOwn(another, domain, synchronised)
  expect(back.ca).toEqual(next.ca)
  expect(back.previousCa?.key).toBe(another.ca.key)
  expect(await notesOn(back, domain, synchronised)).toEqual([
    expect.stringMatching(/may not sign for copilot\.example\.com/),
  ])
})

it("loses no key if killed between writing the new CA's key and its certificate", async () => {
  const domain = namesOf(facts, 'copilot.example.com')
  const next = await decideOwn(good, domain, synchronised)
  // Killed after previous-ca.key, previous-ca.crt and ca.key, in the order of caFiles.
  const cutOff = {
    ca: { certificate: good.ca.certificate, key: next.ca.key },
    leaf: good.leaf,
    previousCa: next.previousCa,
  }
  const again = await decideOwn(cutOff as Certificates, domain, synchronised)
  expect(again.previousCa).toEqual(next.previousCa)
  // With the original names, the previous CA is in use again.
  expect((await decideOwn(cutOff as Certificates, names, synchronised)).ca).toEqual(good.ca)
})

it('keeps the CA of a machine that is configured under all these clocks', async () => {
  const host = recordedHost({}, command =>
    command.startsWith('chronyc ') ? { stdout: '', exitCode: 1 } : undefined,
  )
  await applyFiles(host, [releaseFile(productionRelease)])
  await configure({ ...host, now: () => new Date('2026-02-14T10:00:00Z') })
  const ca = host.files.read(paths.caCertificate)
  const key = host.files.read(paths.caKey)
  for (const { now } of Object.values(clocks)) {
    await configure({ ...host, now: () => now })
    expect([host.files.read(paths.caCertificate), host.files.read(paths.caKey)]).toEqual([ca, key])
  }
  expect(host.files.status(paths.previousCaKey)).toBeUndefined()
  await configure({ ...host, env: { ONEAPP_COPILOT_DOMAIN: 'copilot.example.com' } })
  expect(host.files.read(paths.previousCaKey)).toBe(key)
  expect(host.files.status(paths.previousCaKey)?.mode).toBe(0o600)
})

/** Clocks that a time source has confirmed, and that are wrong nevertheless. */
it.each(['1970-01-01T00:00:10Z', '2040-01-01T00:00:00Z', '2106-02-07T06:28:15Z'])(
  'a time source that says %s, and is right later: what was issued meanwhile is replaced, and the CA is back',
  async text => {
    const wrong = clockAt(new Date(text), true)
    const then = await decided(good, names, wrong)
    expect(pairsOf(then).ca).not.toEqual(good.ca)
    const back = await decideOwn(pairsOf(then), names, synchronised)
    expect(back.ca).toEqual(good.ca)
    expect(back.leaf).not.toEqual(pairsOf(then).leaf)
    expect(isAccepted(back, right)).toBe(true)
    expect(lengthOf(back)).toBeLessThanOrEqual(825)
    expect(await decideOwn(back, names, synchronised)).toEqual(back)
  },
)
