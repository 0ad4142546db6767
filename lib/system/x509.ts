/** X.509 certificates and keys: whether they match, their names and dates. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { rootCertificates } from 'node:tls'

/** PEM of a certificate (or chain, leaf first) and of its private key. */
export type PemPair = { certificate: string; key: string }

/** The certificates in a PEM text, including OpenSSL's TRUSTED ones, in order. Throws if one cannot be parsed. */
export const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]+-----END \1CERTIFICATE-----/g) ?? []).map(
    text => new X509Certificate(text),
  )

/** The first certificate in a PEM text; undefined if there is none that can be parsed. */
export function parsedCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    // OpenSSL's reason ("bad base64 decode") does not matter: callers treat it as absent.
    return undefined
  }
}

/** The pair's certificate, if both can be parsed and match; validity dates are not checked. */
export function certificateOf(pair: PemPair | undefined): X509Certificate | undefined {
  const certificate = pair && parsedCertificate(pair.certificate)
  try {
    return certificate?.checkPrivateKey(createPrivateKey(pair?.key ?? '')) ? certificate : undefined
  } catch {
    // Not a PEM key: a truncated or edited file, which callers treat as absent.
    return undefined
  }
}

/** A certificate's validity period. */
export const datesOf = ({ validFromDate: from, validToDate: to }: X509Certificate) => ({ from, to })

/** Whether `issuer` signed a certificate. */
export const isSignedBy = (certificate: X509Certificate, issuer: X509Certificate) =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

/** Whether a certificate covers this DNS name or address. */
export const covers = (certificate: X509Certificate, name: string) =>
  isIP(name) === 0
    ? certificate.checkHost(name, { subject: 'never' }) !== undefined
    : certificate.checkIP(name) !== undefined

/** The DNS names and addresses in a certificate's subjectAltName, in order. */
export const namesIn = (certificate: X509Certificate): string[] =>
  (certificate.subjectAltName ?? '')
    .split(', ')
    .map(entry => entry.match(/^(?:DNS|IP Address):(.*)$/)?.[1])
    .filter(name => name !== undefined)

/** Whether a certificate is signed by a public root: one that browsers and Node trust. */
export const isUnderPublicRoot = (certificate: X509Certificate) =>
  rootCertificates.some(pem => isSignedBy(certificate, new X509Certificate(pem)))
