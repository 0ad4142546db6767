/** What the appliance proves itself with. */

/** PEM of a certificate (or chain, leaf first) and of its private key. */
export type Pair = { certificate: string; key: string }

/**
 * The VM's own CA, and the leaf under it. `previousCa`: the one that this CA has replaced, kept for going back; its
 * certificate begins with a line that says when that was, its key is empty where it was lost.
 */
export type Certificates = { ca: Pair; leaf: Pair; previousCa?: Pair }

/** Days that a leaf is valid, and before whose end it is renewed; days of the CA, and of telling that it is new. */
export const validity = { leaf: 90, renewBefore: 30, ca: 3650, announceCa: 30 } as const

/** Where the pair in use comes from: the VM's own CA, the context, an ACME server. */
export type TlsMode = 'private' | 'supplied' | 'acme'

/** A pair that nginx can serve. */
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
