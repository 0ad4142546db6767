/** What the VM's CA may sign for, as a value and as DER in its certificate. */
import { X509Certificate } from 'node:crypto'
import forge from 'node-forge'
import { expect, it } from 'vitest'
import { constraintsFor, namesNotPermitted } from '../../../../lib/appliance/tls/name-constraints.ts'
import { issueCa } from '../../../../lib/steps/tls/issue-certificate.ts'
import { readNameConstraints } from '../../../../lib/steps/tls/name-constraints.ts'

const own = [
  'copilot.example.com',
  'copilot',
  'localhost',
  'x'.repeat(200),
  'lab.example.org',
  'vm.lab.example.org',
]
const constraints = constraintsFor({ dns: own, ip: ['192.0.2.7'] })

it.each([
  [own, []],
  // One of the names is below another, so names below that other one cannot be excluded.
  [['other.lab.example.org'], []],
  ...[
    'a.copilot.example.com',
    'a.b.copilot',
    'www.localhost',
    'a.vm.lab.example.org',
    'example.com',
    'com',
    'opilot',
    'mycopilot',
    'my-copilot.example.com',
    '',
  ].map((name): [string[], string[]] => [[name], [name]]),
])('from %j, does not permit %j', (dns, expected) => {
  expect(namesNotPermitted(constraints, { dns, ip: ['8.8.8.8'] })).toEqual(expected)
})

it.each([
  [['copilot'], ['.copilot']],
  [
    ['copilot.example.com', 'localhost'],
    ['.copilot.example.com', '.localhost'],
  ],
  // Names below one of these cannot be excluded, since another of these is one.
  [['example.com', 'vm.example.com'], ['.vm.example.com']],
  [
    ['com', 'vm.example.com', 'example'],
    ['.vm.example.com', '.example'],
  ],
  [
    ['ample.com', 'vm.example.com'],
    ['.ample.com', '.vm.example.com'],
  ],
  [[], []],
])('permits exactly %j', (dns, excluded) => {
  expect(constraintsFor({ dns, ip: ['192.0.2.7'] })).toEqual({ permitted: dns, excluded })
})

it.each([
  ['no constraints', undefined, ['localhost', 'a.localhost', 'copilot']],
  ['none excluded', { permitted: ['localhost'], excluded: [] }, ['copilot']],
  [
    'a name excluded with all below it',
    { permitted: ['localhost'], excluded: ['localhost'] },
    ['localhost', 'a.localhost', 'copilot'],
  ],
])('with %s', (_, constraints, expected) => {
  const names = { dns: ['localhost', 'a.localhost', 'copilot'], ip: [] }
  expect(namesNotPermitted(constraints, names)).toEqual(expected)
})

const dates = { from: new Date('2026-01-01'), to: new Date('2036-01-01') }

it.each([[own], [['localhost']], [Array.from({ length: 40 }, (_, number) => `host-${number}.example.com`)]])(
  'reads back the constraints in a certificate: %#',
  dns => {
    const { certificate } = issueCa(forge, { dns, ip: ['192.0.2.7'] }, dates)
    expect(readNameConstraints(forge, certificate)).toEqual(constraintsFor({ dns, ip: [] }))
  },
)

/** A self-signed certificate with a nameConstraints extension of these bytes, or without one. */
function certificateWith(value: string | undefined): string {
  const { pki, md } = forge
  const keys = pki.rsa.generateKeyPair({ bits: 2048 })
  const certificate = pki.createCertificate()
  certificate.publicKey = keys.publicKey
  certificate.setExtensions(value === undefined ? [] : [{ id: '2.5.29.30', value }])
  certificate.sign(keys.privateKey, md.sha256.create())
  return pki.certificateToPem(certificate)
}

it.each([
  ['without the extension', certificateWith(undefined), undefined],
  ['with an empty one', certificateWith('\x30\x00'), { permitted: [], excluded: [] }],
  ['with invalid DER', certificateWith('\x30\x85\xff'), undefined],
  ['with one of another shape', certificateWith('\x04\x01x'), { permitted: [], excluded: [] }],
  // An address range, 10.0.0.0/8, as other CAs have.
  [
    'with addresses',
    certificateWith('\x30\x0e\xa0\x0c\x30\x0a\x87\x08\x0a\x00\x00\x00\xff\x00\x00\x00'),
    { permitted: [], excluded: [] },
  ],
  ['that is not one', 'half a fi', undefined],
])('reads a certificate %s', (_, certificate, expected) => {
  expect(readNameConstraints(forge, certificate)).toEqual(expected)
})

it('writes constraints as OpenSSL reads them, and as critical', () => {
  const { certificate } = issueCa(forge, { dns: ['copilot'], ip: [] }, dates)
  // id, critical TRUE, OCTET STRING of permitted copilot, excluded .copilot (RFC 5280, 4.2.1.10).
  const extension = '0603551d1e0101ff041d301ba00b30098207636f70696c6f74a10c300a82082e636f70696c6f74'
  expect(new X509Certificate(certificate).raw.toString('hex')).toContain(extension)
})
