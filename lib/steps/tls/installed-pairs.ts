/** The pair that nginx serves, whoever made it: its folder, the link to it, and what people are told of it. */
import { X509Certificate } from 'node:crypto'
import { certificateFiles, configureCommand, paths } from '../../appliance/paths.ts'
import type { InstalledPair, Pair, TlsMode, TlsSummary } from '../../appliance/tls/certificates.ts'
import { hstsFile } from '../../render/nginx/site.ts'
import type { Host } from '../../system/host.ts'
import type { ManagedFile } from '../../system/managed-files.ts'
import { certificatesIn, covers, isUnderPublicRoot, namesIn } from '../../system/x509.ts'

/** Whether browsers trust it as it is. */
function isPublic({ mode, pair }: Pick<InstalledPair, 'mode' | 'pair'>): boolean {
  if (mode === 'private') return false
  const last = certificatesIn(pair.certificate).at(-1)
  return last !== undefined && isUnderPublicRoot(last)
}

/** The folder of a pair under `paths.tls`, its key before its chain. */
export const pairFiles = ({ target, pair }: InstalledPair): ManagedFile[] => [
  { path: `${paths.tls}/${target}/${certificateFiles.key}`, mode: 0o600, text: pair.key },
  { path: `${paths.tls}/${target}/${certificateFiles.chain}`, mode: 0o644, text: pair.certificate },
]

/** The own pair, and the link to it, which stays while another one is served. */
export const ownPairFiles = (own: InstalledPair): ManagedFile[] => [
  ...pairFiles(own),
  { path: paths.privateCertificate, link: own.target },
]

/** What makes nginx serve a pair. */
export const inUseFiles = (served: InstalledPair): ManagedFile[] => [
  { path: paths.currentCertificate, link: served.target },
  hstsFile(isPublic(served)),
]

/** The folders of former pairs, to be gone once nothing links to them. */
export function supersededPairs(host: Host, kept: (InstalledPair | undefined)[]): ManagedFile[] {
  const targets = kept.map(pair => pair?.target)
  return host.files
    .list(paths.certificates)
    .filter(name => !targets.includes(`certificates/${name}`))
    .map(name => ({ path: `${paths.certificates}/${name}`, absent: true }))
}

/** The pair in use. Throws when configure has not put one there. */
export function readPairInUse(host: Host): InstalledPair {
  const target = host.files.target(paths.currentCertificate)
  const certificate = host.files.read(paths.currentChain)
  const key = host.files.read(`${paths.currentCertificate}/${certificateFiles.key}`)
  if (target === undefined || certificate === undefined || key === undefined)
    throw new Error(`No certificate in ${paths.tls}: run \`${configureCommand}\` first.`)
  return { mode: modeOf(target), target, pair: { certificate, key } }
}

function modeOf(target: string): TlsMode {
  if (!target.startsWith('certificates/')) return 'acme'
  return target.startsWith('certificates/supplied-') ? 'supplied' : 'private'
}

/** What people compare, and read in the report. */
export function tlsSummary(served: InstalledPair, ca: Pair): TlsSummary {
  const certificate = new X509Certificate(served.pair.certificate)
  return {
    mode: served.mode,
    names: namesIn(certificate),
    ends: certificate.validToDate.toISOString().slice(0, 10),
    isPublic: isPublic(served),
    caFingerprint: new X509Certificate(ca.certificate).fingerprint256,
  }
}

/** Of these names and addresses those that clients can verify; where there are none, those of the certificate. */
export function verifiableEndpoints(served: InstalledPair, endpoints: string[]): string[] {
  const certificate = new X509Certificate(served.pair.certificate)
  const covered = endpoints.filter(name => covers(certificate, name))
  return covered.length > 0 ? covered : namesIn(certificate)
}

/** What to trust, and as whom, when asking this machine's own nginx: its CA, or the very chain that it should send. */
export function trustFor(served: InstalledPair, ca: Pair): { ca: string; serverName?: string } {
  if (served.mode === 'private') return { ca: ca.certificate }
  const [first = 'localhost'] = namesIn(new X509Certificate(served.pair.certificate))
  return { ca: served.pair.certificate, serverName: first.replace(/^\*\./, 'copilot.') }
}
