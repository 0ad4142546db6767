/** Certificates and their keys: what belongs together, what they are for, until when. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { rootCertificates } from 'node:tls'

/** PEM of a certificate (or chain, leaf first) and of its private key. */
export type PemPair = { certificate: string; key: string }

/** The certificates of a PEM text, in its order. Throws where one does not parse. */
export const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    text => new X509Certificate(text),
  )

/** The pair's certificate, if both parse and belong together, whenever it is valid. */
export function certificateOf(pair: PemPair | undefined): X509Certificate | undefined {
  if (pair === undefined) return undefined
  try {
    const certificate = new X509Certificate(pair.certificate)
    return certificate.checkPrivateKey(createPrivateKey(pair.key)) ? certificate : undefined
  } catch {
    // Not PEM: half a file, or somebody's edit. The caller does with it as with an absent one.
    return undefined
  }
}

/** From and to when a certificate is valid. */
export const datesOf = ({ validFromDate: from, validToDate: to }: X509Certificate) => ({ from, to })

/** Whether `issuer` signed a certificate. */
export const isSignedBy = (certificate: X509Certificate, issuer: X509Certificate) =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

/** Whether a certificate is for this DNS name or address. */
export const covers = (certificate: X509Certificate, name: string) =>
  isIP(name) === 0
    ? certificate.checkHost(name, { subject: 'never' }) !== undefined
    : certificate.checkIP(name) !== undefined

/** The DNS names and addresses that a certificate is for, in its order. */
export const namesIn = (certificate: X509Certificate): string[] =>
  (certificate.subjectAltName ?? '')
    .split(', ')
    .map(entry => entry.match(/^(?:DNS|IP Address):(.*)$/)?.[1])
    .filter(name => name !== undefined)

/** Whether one of the roots that browsers and Node trust signed a certificate. */
export const isUnderPublicRoot = (certificate: X509Certificate) =>
  rootCertificates.some(pem => isSignedBy(certificate, new X509Certificate(pem)))
