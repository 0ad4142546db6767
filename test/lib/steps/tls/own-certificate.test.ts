import { X509Certificate } from 'node:crypto'
import forge from 'node-forge'
import { describe, expect, it } from 'vitest'
import { type Names, namesOf } from '../../../../lib/appliance/names.ts'
import type { OwnPairs } from '../../../../lib/steps/tls/facts.ts'
import { type Certificates, decided, pairsOf } from '../../../support/certificates.ts'
import { rightClock } from '../../../support/clock.ts'
import { facts } from '../../../support/recorded-host.ts'

const decideCertificates = async (found: OwnPairs, names: Names, now: Date) =>
  pairsOf(await decided(found, names, rightClock(now)))
const notesOn = async (found: OwnPairs, names: Names, now: Date) =>
  (await decided(found, names, rightClock(now))).notes

const now = new Date('2026-02-14T10:00:00Z')
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000)
const names = namesOf(facts, undefined)
const made: Promise<Certificates> = decideCertificates({}, names, now)

it('issues a leaf for every name and address, under a CA', async () => {
  const { ca, leaf } = await made
  const authority = new X509Certificate(ca.certificate)
  const certificate = new X509Certificate(leaf.certificate)
  expect(certificate.subjectAltName).toBe(
    'DNS:copilot, DNS:localhost, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  )
  expect(certificate.checkIssued(authority) && certificate.verify(authority.publicKey)).toBe(true)
  expect([authority.ca, certificate.ca]).toEqual([true, false])
  expect(leaf.certificate.endsWith(ca.certificate)).toBe(true)
})

/** What an extension says; identifiers and encoded values are left out. */
const extensionsOf = (pem: string) =>
  forge.pki
    .certificateFromPem(pem)
    .extensions.map(({ name, critical, ...said }) => [
      name,
      critical ? 'critical' : '',
      ...Object.keys(said).filter(key => said[key] === true),
    ])

it('allows the CA only to sign, with what it signs limited by name, and the leaf only to serve', async () => {
  const { ca, leaf } = await decideCertificates({}, names, now)
  expect(extensionsOf(ca.certificate)).toEqual([
    ['basicConstraints', 'critical', 'cA'],
    ['keyUsage', 'critical', 'keyCertSign', 'cRLSign'],
    ['extKeyUsage', '', 'serverAuth'],
    ['subjectKeyIdentifier', ''],
    ['nameConstraints', 'critical'],
  ])
  expect(extensionsOf(leaf.certificate)).toEqual([
    ['basicConstraints', 'critical'],
    ['keyUsage', 'critical', 'digitalSignature', 'keyEncipherment'],
    ['extKeyUsage', '', 'serverAuth'],
    ['subjectKeyIdentifier', ''],
    ['authorityKeyIdentifier', ''],
    ['subjectAltName', ''],
  ])
})

it('names the CA after the VM and at random, and gives positive serial numbers', async () => {
  const { ca, leaf } = await made
  const [authority, certificate] = [ca, leaf].map(pair => new X509Certificate(pair.certificate))
  expect(authority?.subject).toMatch(/^CN=SLM-Copilot CA copilot [0-9a-f]{8}$/)
  expect(authority?.issuer).toBe(authority?.subject)
  expect(certificate?.subject).toBe('CN=copilot')
  for (const each of [authority, certificate]) expect(each?.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
  const long = await decideCertificates({}, { dns: [`${'a'.repeat(63)}.example.com`], ip: [] }, now)
  expect(new X509Certificate(long.ca.certificate).subject).toMatch(/^CN=SLM-Copilot CA a{32} [0-9a-f]{8}$/)
  expect(new X509Certificate(long.leaf.certificate).subject).toBe(`CN=${'a'.repeat(63)}.`)
  const unnamed = await decideCertificates({}, { dns: [], ip: ['192.0.2.7'] }, now)
  expect(new X509Certificate(unnamed.leaf.certificate).subject).toBe('CN=slm-copilot')
  expect(new X509Certificate(unnamed.ca.certificate).subject).toContain('CA slm-copilot ')
})

it('keeps valid certificates', async () => {
  const found = await made
  expect(await decideCertificates(found, names, inDays(59))).toEqual(found)
})

const broken = { certificate: 'half a fi', key: 'half a fi' }
it.each([
  ['30 days remain', (found: Certificates) => found, names, inDays(61)],
  [
    'an address was removed',
    (found: Certificates) => found,
    namesOf({ ...facts, addresses: ['192.0.2.7'] }, undefined),
    now,
  ],
  [
    'a private address was added',
    (f: Certificates) => f,
    namesOf({ ...facts, addresses: ['10.0.0.8', 'fd00::8', ...facts.addresses] }, undefined),
    now,
  ],
  [
    'a public address changed',
    (found: Certificates) => found,
    namesOf({ ...facts, addresses: ['192.0.2.8', '2001:db8::7'] }, undefined),
    now,
  ],
  ['it is broken', ({ ca }: Certificates) => ({ ca, leaf: broken }), names, now],
  ['it is missing', ({ ca }: Certificates) => ({ ca }), names, now],
])('issues another leaf under the same CA if %s', async (_, of, wanted, at) => {
  const found = await made
  const { ca, leaf } = await decideCertificates(of(found), wanted, at)
  expect(ca).toEqual(found.ca)
  expect(leaf).not.toEqual(found.leaf)
  expect(new X509Certificate(leaf.certificate).verify(new X509Certificate(ca.certificate).publicKey)).toBe(
    true,
  )
})

it.each([
  ['its key does not match', ({ ca, leaf }: Certificates) => ({ ca: { ...ca, key: leaf.key }, leaf })],
  ['it expires soon', (found: Certificates) => found, names, inDays(3600)],
  ['a name was added', (found: Certificates) => found, namesOf(facts, 'copilot.example.com')],
  ['a subdomain was added', (found: Certificates) => found, namesOf(facts, 'a.copilot')],
  ['it has no constraints', ({ leaf }: Certificates) => ({ ca: leaf, leaf })],
])('creates another CA if %s', async (_, of, wanted = names, at = now) => {
  const found = of(await made)
  const next = await decideCertificates(found, wanted, at)
  expect(next.ca).not.toEqual(found.ca)
  expect(await decideCertificates(next, wanted, at)).toEqual(next)
})

describe('a CA that replaces another', () => {
  const wanted = namesOf(facts, 'copilot.example.com')
  const replaced = made.then(async found => {
    const next = await decideCertificates(found, wanted, now)
    return { found, next, notes: (at: Date) => notesOn(next, wanted, at) }
  })

  it('is announced for a month, with both fingerprints and the reason', async () => {
    const { found, next, notes } = await replaced
    const [note, ...others] = await notes(now)
    expect(others).toEqual([])
    for (const { certificate } of [found.ca, next.ca])
      expect(note).toContain(new X509Certificate(certificate).fingerprint256)
    expect(note).toMatch(/may not sign for copilot\.example\.com\./)
    expect([(await notes(inDays(29))).length, (await notes(inDays(31))).length]).toEqual([1, 0])
  })

  it('continues to be announced if nothing changes', async () => {
    const { next, notes } = await replaced
    const again = await decideCertificates(next, wanted, now)
    expect(again).toEqual(next)
    expect(await notesOn(again, wanted, now)).toEqual(await notes(now))
  })

  it('is not announced if it replaces a broken file, or is the first', async () => {
    expect(await notesOn({ ca: broken }, names, now)).toEqual([])
    expect(await notesOn({}, names, now)).toEqual([])
  })
})
