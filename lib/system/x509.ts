/** Certificates and keys: which belong together, their names, their dates. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { rootCertificates } from 'node:tls'

/** PEM of a certificate (or chain, leaf first) and of its private key. */
export type PemPair = { certificate: string; key: string }

/** The certificates of a PEM text, in its order; OpenSSL's with trust settings too. Throws where one does not parse. */
export const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]+-----END \1CERTIFICATE-----/g) ?? []).map(
    text => new X509Certificate(text),
  )

/** The first certificate of a PEM text; undefined where there is none, or half of one. */
export function parsedCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    // OpenSSL's reason ("bad base64 decode") changes nothing: the caller does as if there were none.
    return undefined
  }
}

/** The pair's certificate, if both parse and belong together, whenever it is valid. */
export function certificateOf(pair: PemPair | undefined): X509Certificate | undefined {
  const certificate = pair && parsedCertificate(pair.certificate)
  try {
    return certificate?.checkPrivateKey(createPrivateKey(pair?.key ?? '')) ? certificate : undefined
  } catch {
    // Not a key in PEM: half a file, or somebody's edit. The caller does as if there were none.
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
