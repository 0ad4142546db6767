/** The pair that nginx uses, whatever its source: its files, the link to it, and its removal once superseded. */
import { certificateFiles, configureCommand, paths } from '../../appliance/paths.ts'
import type { InstalledPair, ServedCertificate, TlsMode } from '../../appliance/tls/certificates.ts'
import { hstsFile } from '../../render/nginx/hsts.ts'
import type { Host } from '../../system/host.ts'
import type { ManagedFile } from '../../system/managed-files.ts'
import { certificatesIn, isUnderPublicRoot } from '../../system/x509.ts'

/** Whether browsers trust the pair without further configuration. */
export function isPublic({ mode, pair }: Pick<InstalledPair, 'mode' | 'pair'>): boolean {
  if (mode === 'private') return false
  const last = certificatesIn(pair.certificate).at(-1)
  return last !== undefined && isUnderPublicRoot(last)
}

/** The files of a pair in its folder under `paths.tls`; the key comes before the chain. */
export const pairFiles = ({ target, pair }: InstalledPair): ManagedFile[] => [
  { path: `${paths.tls}/${target}/${certificateFiles.key}`, mode: 0o600, text: pair.key },
  { path: `${paths.tls}/${target}/${certificateFiles.chain}`, mode: 0o644, text: pair.certificate },
]

/** The files that make nginx use a pair. */
export const inUseFiles = (inUse: InstalledPair): ManagedFile[] => [
  { path: paths.currentCertificate, link: inUse.target },
  hstsFile(isPublic(inUse)),
]

/** Removes the folders of pairs that are no longer in use; to be applied once nothing links to them. */
export function supersededPairs(host: Host, kept: (InstalledPair | undefined)[]): ManagedFile[] {
  const targets = kept.map(pair => pair?.target)
  return host.files
    .list(paths.certificates)
    .filter(name => !targets.includes(`certificates/${name}`))
    .map(name => ({ path: `${paths.certificates}/${name}`, absent: true }))
}

/** If configure has installed none. */
export const missingCertificate = () =>
  new Error(`No certificate in ${paths.tls}. Fix: run \`${configureCommand}\`.`)

/** The certificate in use, which everybody may read. Throws if configure has not installed one. */
export function readCertificateInUse(host: Host): ServedCertificate {
  const target = host.files.target(paths.currentCertificate)
  const certificate = host.files.read(paths.currentChain)
  if (target === undefined || certificate === undefined) throw missingCertificate()
  return { mode: modeOf(target), target, pair: { certificate } }
}

/** The pair in use. Throws if configure has not installed one. */
export function readPairInUse(host: Host): InstalledPair {
  const { mode, target, pair } = readCertificateInUse(host)
  const key = host.files.read(`${paths.currentCertificate}/${certificateFiles.key}`)
  if (key === undefined) throw missingCertificate()
  return { mode, target, pair: { ...pair, key } }
}

function modeOf(target: string): TlsMode {
  if (!target.startsWith('certificates/')) return 'acme'
  return target.startsWith('certificates/supplied-') ? 'supplied' : 'private'
}
