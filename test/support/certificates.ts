/** Certificates for tests, issued by the same functions as on the appliance. */
import { X509Certificate } from 'node:crypto'
import forge from 'node-forge'
import type { Names } from '../../lib/appliance/names.ts'
import { paths } from '../../lib/appliance/paths.ts'
import type { Pair } from '../../lib/appliance/tls/certificates.ts'
import { type Clock, caDates, leafDates } from '../../lib/appliance/tls/clock.ts'
import { describePairs, type OwnPairs } from '../../lib/steps/tls/facts.ts'
import { issueCa, issueLeaf } from '../../lib/steps/tls/issue-certificate.ts'
import { pairInUseFiles, prepareTls, type Tls } from '../../lib/steps/tls/tls.ts'
import { datesOf } from '../../lib/system/x509.ts'

export type Certificates = OwnPairs & { ca: Pair; leaf: Pair }

/** A server certificate for these names, signed by a new CA, or by the given one regardless of its constraints. */
export function issued(names: Names, clock: Clock, given?: Pair): Certificates {
  const ca = given ?? issueCa(forge, names, caDates(clock))
  const dates = leafDates(clock, datesOf(new X509Certificate(ca.certificate)))
  return { ca, leaf: issueLeaf(forge, ca, names, dates) }
}

/** The decision of a stage about the pairs on disk. */
export const decided = async (found: OwnPairs, names: Names, clock: Clock): Promise<Tls> =>
  prepareTls({ clock, names, ...(await describePairs(found, names)) })

/** The pairs on disk after a stage. */
export const pairsOf = ({ ca, own, previousCa }: Tls): Certificates => ({
  ca: ca.pair,
  leaf: own.pair,
  ...(previousCa && { previousCa: previousCa.pair }),
})

/** The files of a VM that uses a certificate of its own CA. */
export const ownTlsFiles = (tls: Tls) => [
  ...pairInUseFiles(tls),
  { path: paths.privateCertificate, link: tls.own.target },
]
