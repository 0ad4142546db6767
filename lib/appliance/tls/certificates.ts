/** Certificates as values: those on disk, and the summary of the one in use. */
import type { Dates } from './clock.ts'
import type { NameConstraints } from './name-constraints.ts'

/** PEM of a certificate (or chain, leaf first) and of its private key. */
export type Pair = { certificate: string; key: string }

/** A CA of this VM, as read from disk. */
export type Ca = {
  /** A previous CA's certificate begins with a line saying when it was replaced; its key is empty if lost. */
  pair: Pair
  /** Undefined if the text is not a certificate. */
  certificate: CaCertificate | undefined
  /** Whether the key is present and belongs to the certificate. */
  hasKey: boolean
}

export type CaCertificate = {
  dates: Dates
  /** SHA-256, as `openssl x509 -fingerprint -sha256` prints it. */
  fingerprint: string
  /** Undefined if the certificate is not a CA's, or has no constraints. */
  constraints: NameConstraints | undefined
}

/** The VM's own leaf, as read from disk. */
export type Leaf = {
  pair: Pair
  dates: Dates
  /** Fingerprint of the CA on disk that signed it, if any. */
  issuer: string | undefined
  /** Whether it is for exactly the VM's names. */
  isForNames: boolean
}

/** The source of the pair in use: the VM's own CA, the context, an ACME server. */
export type TlsMode = 'private' | 'supplied' | 'acme'

/** A pair in a folder that nginx can use. */
export type InstalledPair = {
  mode: TlsMode
  /** Its folder, as the target of the link in `paths.tls`. */
  target: string
  pair: Pair
}

/** The same without the key. */
export type ServedCertificate = Omit<InstalledPair, 'pair'> & { pair: Pick<Pair, 'certificate'> }

/** The pair in use, as shown to people. */
export type TlsSummary = {
  mode: TlsMode
  /** Names and addresses that its certificate is for. */
  names: string[]
  /** Its last day, as 2026-02-14. */
  ends: string
  /** Issued by a public CA, which clients trust already. */
  isPublic: boolean
  /** SHA-256 over the own CA's certificate, as `openssl x509 -fingerprint -sha256` prints it. */
  caFingerprint: string
}

/** The file that developers must trust: the VM's own CA, another issuer's root, or none. */
export function fileToTrust({ mode, isPublic }: Pick<TlsSummary, 'mode' | 'isPublic'>): string | undefined {
  if (isPublic) return undefined
  return mode === 'private' ? 'ca.crt' : 'root.crt'
}
