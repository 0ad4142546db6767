/** Carries out the TLS decision: issues missing certificates, and returns the files to write. */

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
  /** The VM's own pair, whether in use or not. */
  own: InstalledPair
  inUse: InstalledPair
  notes: string[]
  /** Why there is no certificate from an ACME server yet; shown only by bootstrap, which requests it. */
  acmeNotes: string[]
}

/** Decides from the facts, and issues missing certificates, without writing anything. */
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

/** The CA's files; those of the CA that it replaces come first, since a kill in between would lose it. */
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

/** The CA, the pairs' folders, and the files that make nginx use one of them. */
export const pairInUseFiles = (tls: Tls): ManagedFile[] => [
  ...caFiles(tls),
  ...pairFiles(tls.own),
  ...(tls.supplied === undefined ? [] : pairFiles(tls.supplied)),
  ...inUseFiles(tls.inUse),
]

/** All TLS files. The link to the VM's own pair, read by the next run, comes after the files that nginx uses. */
export const tlsFiles = (host: Host, tls: Tls): ManagedFile[] => [
  ...pairInUseFiles(tls),
  { path: paths.privateCertificate, link: tls.own.target },
  ...supersededPairs(host, [tls.own, tls.supplied]),
]
