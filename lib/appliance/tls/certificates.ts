/** Certificates as values: what is on disk, and what people are told of the one in use. */
import type { Dates } from './clock.ts'
import type { NameConstraints } from './name-constraints.ts'

/** PEM of a certificate (or chain, leaf first) and of its private key. */
export type Pair = { certificate: string; key: string }

/** A CA of this VM, as it was read. */
export type Ca = {
  /** A previous CA's certificate begins with a line that says when it was replaced; its key is empty where it was lost. */
  pair: Pair
  /** Undefined where the text is not a certificate. */
  certificate: CaCertificate | undefined
  /** Whether the key is there, and the certificate's own. */
  hasKey: boolean
}

export type CaCertificate = {
  dates: Dates
  /** SHA-256, as `openssl x509 -fingerprint -sha256` prints it. */
  fingerprint: string
  /** Undefined where the certificate is not a CA's, or not constrained. */
  constraints: NameConstraints | undefined
}

/** The VM's own leaf, as it was read. */
export type Leaf = {
  pair: Pair
  dates: Dates
  /** Fingerprint of the CA on disk that signed it, if one did. */
  issuer: string | undefined
  /** Whether it is for exactly the names that the VM has. */
  isForNames: boolean
}

/** Where the pair in use comes from: the VM's own CA, the context, an ACME server. */
export type TlsMode = 'private' | 'supplied' | 'acme'

/** A pair in a folder from which nginx can use it. */
export type InstalledPair = {
  mode: TlsMode
  /** Its folder, as the link in `paths.tls` names it. */
  target: string
  pair: Pair
}

/** The pair in use, as people are told of it. */
export type TlsSummary = {
  mode: TlsMode
  /** Names and addresses that its certificate is for. */
  names: string[]
  /** Its last day, as 2026-02-14. */
  ends: string
  /** Every browser trusts it without being told to. */
  isPublic: boolean
  /** SHA-256 over the own CA's certificate, as `openssl x509 -fingerprint -sha256` prints it. */
  caFingerprint: string
}

/** What a developer must trust, as a file: the VM's own CA, the root of another issuer, or nothing. */
export function fileToTrust({ mode, isPublic }: Pick<TlsSummary, 'mode' | 'isPublic'>): string | undefined {
  if (isPublic) return undefined
  return mode === 'private' ? 'ca.crt' : 'root.crt'
}
