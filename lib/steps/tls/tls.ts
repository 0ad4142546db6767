/** Carries out the decision about TLS: issues what is missing, and says which files that makes. */

import { paths } from '../../appliance/paths.ts'
import type { InstalledPair } from '../../appliance/tls/certificates.ts'
import { caDates, leafDates } from '../../appliance/tls/clock.ts'
import { decideTls, type TlsFacts } from '../../appliance/tls/decision.ts'
import { type TlsState, tlsNotes } from '../../appliance/tls/notes.ts'
import type { Host } from '../../system/host.ts'
import type { ManagedFile } from '../../system/managed-files.ts'
import { describeCa, ownPair } from './certificates.ts'
import { inUseFiles, pairFiles, supersededPairs } from './installed-pairs.ts'
import { issueCa, issueLeaf } from './issue-certificate.ts'

export type Tls = TlsState & {
  /** The VM's own pair, in use or not. */
  own: InstalledPair
  inUse: InstalledPair
  notes: string[]
  /** Why there is no certificate from an ACME server yet. Only bootstrap says so, since it requests one. */
  acmeNotes: string[]
}

/** Decides by the facts, and issues what is missing. Nothing is written. */
export async function prepareTls(facts: TlsFacts): Promise<Tls> {
  const { clock, names, supplied } = facts
  const { acme, inUse, previousCa, ...kept } = decideTls(facts)
  const { default: forge } = await import('node-forge')
  const ca = kept.ca ?? describeCa(forge, issueCa(forge, names, caDates(clock)))
  const dates = leafDates(clock, ca.certificate?.dates ?? caDates(clock))
  const own = ownPair(kept.leaf?.pair ?? issueLeaf(forge, ca.pair, names, dates))
  const state = { clock, names, ca, previousCa, supplied }
  const acmeNotes = acme.state === 'deferred' ? [acme.note] : []
  return { ...state, own, inUse: inUse ?? own, notes: tlsNotes(state), acmeNotes }
}

/** The CA: the one that it replaces first, since a kill in between would lose that. */
const caFiles = ({ ca, previousCa }: Tls): ManagedFile[] => [
  ...(previousCa === undefined
    ? []
    : [
        { path: paths.previousCaKey, mode: 0o600, text: previousCa.pair.key },
        { path: paths.previousCaCertificate, mode: 0o644, text: previousCa.pair.certificate },
      ]),
  { path: paths.caKey, mode: 0o600, text: ca.pair.key },
  { path: paths.caCertificate, mode: 0o644, text: ca.pair.certificate },
]

/** The CA, the pairs' folders, and what makes nginx use one. */
export const pairInUseFiles = (tls: Tls): ManagedFile[] => [
  ...caFiles(tls),
  ...pairFiles(tls.own),
  ...(tls.supplied === undefined ? [] : pairFiles(tls.supplied)),
  ...inUseFiles(tls.inUse),
]

/** All files of TLS. The link by which the VM's own pair is found the next time comes after what nginx uses. */
export const tlsFiles = (host: Host, tls: Tls): ManagedFile[] => [
  ...pairInUseFiles(tls),
  { path: paths.privateCertificate, link: tls.own.target },
  ...supersededPairs(host, [tls.own, tls.supplied]),
]
