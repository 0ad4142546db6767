/** The name constraints extension: as it is encoded, and what is read of any certificate. */
import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'
import { expect, it } from 'vitest'
import { constraintsFor } from '../../../../lib/appliance/tls/name-constraints.ts'
import {
  encodeNameConstraints,
  nameConstraintsId,
  readNameConstraints,
} from '../../../../lib/steps/tls/name-constraints.ts'
import { issued } from '../../../support/certificates.ts'
import { rightClock } from '../../../support/clock.ts'

const hex = (bytes: string) => Buffer.from(bytes, 'binary').toString('hex')

/** In RFC 5280, empty lists are invalid; they are left out. */
it.each([
  ['both lists', ['a'], ['.a'], '300f a0053003820161 a106300482022e61'],
  ['two names', ['a', 'b'], [], '300c a00a 3003820161 3003820162'],
  ['nothing permitted', [], ['.a'], '3008 a106300482022e61'],
  ['nothing', [], [], '3000'],
])('encodes %s', (_, permitted, excluded, der) => {
  expect(hex(encodeNameConstraints(forge, { permitted, excluded }))).toBe(der.replaceAll(' ', ''))
})

it('reads the constraints of a CA that the appliance has issued, and none of a leaf', () => {
  const names = { dns: ['copilot.example.com', 'localhost'], ip: ['192.0.2.7'] }
  const { ca, leaf } = issued(names, rightClock(new Date('2026-02-14T10:00:00Z')))
  expect(readNameConstraints(forge, ca.certificate)).toEqual(constraintsFor(names))
  expect(readNameConstraints(forge, leaf.certificate)).toBeUndefined()
})

/** A certificate whose constraints have this DER. */
function constrained(der: string): string {
  const { pki, md } = forge
  const keys = pki.rsa.generateKeyPair({ bits: 2048 })
  const certificate = pki.createCertificate()
  certificate.publicKey = keys.publicKey
  certificate.setExtensions([{ id: nameConstraintsId, value: Buffer.from(der, 'hex').toString('binary') }])
  certificate.sign(keys.privateKey, md.sha256.create())
  return pki.certificateToPem(certificate)
}

it.each([
  [
    'addresses and directories beside names',
    '3017a015 3003820161 300a8708c0000200ffffff00 3002a400',
    ['a'],
    [],
  ],
  ['depths of a name', '300aa008 3006820161 800100', ['a'], []],
  ['a name that is excluded', '3007a1053003820161', [], ['a']],
  ['nothing', '3000', [], []],
  ['something else', '0500', [], []],
])('reads %s', (_, der, permitted, excluded) => {
  const found = readNameConstraints(forge, constrained(der.replaceAll(' ', '')))
  expect(found).toEqual({ permitted, excluded })
})

it.each([
  ['what is not DER', constrained('ff')],
  ['what is no certificate', 'hello'],
  [
    'a public key',
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }),
  ],
])('reads nothing of %s', (_, text) => {
  expect(readNameConstraints(forge, String(text))).toBeUndefined()
})
