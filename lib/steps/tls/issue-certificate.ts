/** Issues certificates with node-forge: the CA, and leaf certificates under it (RFC 5280, RSA 2048, SHA-256). */

import { randomBytes } from 'node:crypto'
import type Forge from 'node-forge'
import type { Names } from '../../appliance/names.ts'
import type { Pair } from '../../appliance/tls/certificates.ts'
import type { Dates } from '../../appliance/tls/clock.ts'
import { constraintsFor } from '../../appliance/tls/name-constraints.ts'
import { encodeNameConstraints, nameConstraintsId } from './name-constraints.ts'

/** 16 random bytes with the first bit clear: a positive INTEGER (RFC 5280, 4.1.2.2). */
const serialNumber = () => {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

/** An unsigned certificate for a new key. */
function newCertificate({ pki }: typeof Forge, commonName: string, { from, to }: Dates) {
  const keys = pki.rsa.generateKeyPair({ bits: 2048 })
  const certificate = pki.createCertificate()
  certificate.publicKey = keys.publicKey
  certificate.serialNumber = serialNumber()
  certificate.validity.notBefore = from
  certificate.validity.notAfter = to
  certificate.setSubject([{ name: 'commonName', value: commonName }])
  return { certificate, keys }
}

/**
 * A CA for this VM, constrained to these names. Its own name has a random part, so that the CAs of several
 * VMs can be told apart in a trust store.
 */
export function issueCa(forge: typeof Forge, names: Names, dates: Dates): Pair {
  const { pki, md } = forge
  const hostname = names.dns[0] ?? 'slm-copilot'
  const name = `SLM-Copilot CA ${hostname.slice(0, 32)} ${randomBytes(4).toString('hex')}`
  const { certificate, keys } = newCertificate(forge, name, dates)
  const constraints = encodeNameConstraints(forge, constraintsFor(names))
  certificate.setIssuer(certificate.subject.attributes)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    // Servers only: neither mail nor code signing.
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectKeyIdentifier' },
    { id: nameConstraintsId, critical: true, value: constraints },
  ])
  certificate.sign(keys.privateKey, md.sha256.create())
  return {
    certificate: pem(pki.certificateToPem(certificate)),
    key: pem(pki.privateKeyToPem(keys.privateKey)),
  }
}

/** A server certificate for these names and addresses, followed by the CA's: the chain that nginx sends. */
export function issueLeaf(forge: typeof Forge, ca: Pair, names: Names, dates: Dates): Pair {
  const { pki, md } = forge
  const caCertificate = pki.certificateFromPem(ca.certificate)
  const caKeyIdentifier = caCertificate.generateSubjectKeyIdentifier().getBytes()
  const { certificate, keys } = newCertificate(forge, (names.dns[0] ?? 'slm-copilot').slice(0, 64), dates)
  certificate.setIssuer(caCertificate.subject.attributes)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: caKeyIdentifier },
    {
      name: 'subjectAltName',
      altNames: [...names.dns.map(value => ({ type: 2, value })), ...names.ip.map(ip => ({ type: 7, ip }))],
    },
  ])
  certificate.sign(pki.privateKeyFromPem(ca.key), md.sha256.create())
  return {
    certificate: pem(pki.certificateToPem(certificate)) + ca.certificate,
    key: pem(pki.privateKeyToPem(keys.privateKey)),
  }
}

/** node-forge ends lines with CR LF (RFC 1421); all other files here use LF. */
const pem = (text: string) => text.replaceAll('\r\n', '\n')
