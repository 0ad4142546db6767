/** The certificate that nginx serves: a leaf for the VM's names and addresses, under a small CA of the VM's own. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { type Certificates, type Pair, validity } from '../appliance/certificates.ts'
import type { Names } from '../appliance/names.ts'
import { certificateFiles, paths } from '../appliance/paths.ts'
import type { Host } from '../system/host.ts'
import type { ManagedFile } from '../system/managed-files.ts'

const day = 86_400_000

/** The pairs on disk, where whole. */
export function readCertificates(host: Host): Partial<Certificates> {
  const pair = (certificatePath: string, keyPath: string) => {
    const certificate = host.files.read(certificatePath)
    const key = host.files.read(keyPath)
    return certificate === undefined || key === undefined ? undefined : { certificate, key }
  }
  const { chain, key } = certificateFiles
  const ca = pair(paths.caCertificate, paths.caKey)
  const leaf = pair(`${paths.currentCertificate}/${chain}`, `${paths.currentCertificate}/${key}`)
  return { ...(ca && { ca }), ...(leaf && { leaf }) }
}

/** The pair's certificate, if both parse, belong together, and it is valid for `remaining` milliseconds more. */
function sound(pair: Pair | undefined, now: Date, remaining: number): X509Certificate | undefined {
  if (pair === undefined) return undefined
  try {
    const certificate = new X509Certificate(pair.certificate)
    const isMatch = certificate.checkPrivateKey(createPrivateKey(pair.key))
    const lasts = certificate.validToDate.getTime() - now.getTime() > remaining
    return isMatch && lasts && certificate.validFromDate <= now ? certificate : undefined
  } catch {
    // Not PEM: half a file, or somebody's edit. Made anew, which is what the caller does with an absent one.
    return undefined
  }
}

/** Whether a certificate is for exactly these names and addresses. */
function isFor(certificate: X509Certificate, { dns, ip }: Names): boolean {
  const entries = certificate.subjectAltName?.split(', ').length ?? 0
  const hasName = (name: string) =>
    certificate.checkHost(name, { subject: 'never', wildcards: false }) !== undefined
  return (
    entries === dns.length + ip.length &&
    dns.every(hasName) &&
    ip.every(address => certificate.checkIP(address) !== undefined)
  )
}

/** Of the pairs found, those that are still good: a CA that outlives its leaves, a leaf under it for just these names. */
export function goodCertificates(
  found: Partial<Certificates>,
  names: Names,
  now: Date,
): Partial<Certificates> {
  const ca = sound(found.ca, now, validity.leaf * day)
  if (found.ca === undefined || ca === undefined) return {}
  const leaf = sound(found.leaf, now, validity.renewBefore * day)
  const isOurs = leaf?.checkIssued(ca) && leaf.verify(ca.publicKey) && isFor(leaf, names)
  return found.leaf && isOurs ? { ca: found.ca, leaf: found.leaf } : { ca: found.ca }
}

/** The folder of a leaf, named by its serial number. */
const folderOf = ({ leaf }: Certificates) => new X509Certificate(leaf.certificate).serialNumber.toLowerCase()

/** The pairs as managed files: folder and link in use last, folders of former leaves gone after it. */
export function certificateManagedFiles(host: Host, certificates: Certificates): ManagedFile[] {
  const id = folderOf(certificates)
  const folder = `${paths.certificates}/${id}`
  const former = host.files.list(paths.certificates).filter(name => name !== id)
  return [
    { path: paths.caKey, mode: 0o600, text: certificates.ca.key },
    { path: paths.caCertificate, mode: 0o644, text: certificates.ca.certificate },
    { path: `${folder}/${certificateFiles.key}`, mode: 0o600, text: certificates.leaf.key },
    { path: `${folder}/${certificateFiles.chain}`, mode: 0o644, text: certificates.leaf.certificate },
    { path: paths.currentCertificate, link: `certificates/${id}` },
    ...former.map((name): ManagedFile => ({ path: `${paths.certificates}/${name}`, absent: true })),
  ]
}

export type CertificateSummary = { caFingerprint: string; certificateEnds: string }

/** What people compare: the CA's SHA-256 fingerprint; and the leaf's last day. */
export function summarizeCertificates({ ca, leaf }: Partial<Certificates>): CertificateSummary {
  if (ca === undefined || leaf === undefined)
    throw new Error(`No certificate in ${paths.tls}: run \`slm-copilot configure\` first.`)
  return {
    caFingerprint: new X509Certificate(ca.certificate).fingerprint256,
    certificateEnds: new X509Certificate(leaf.certificate).validToDate.toISOString().slice(0, 10),
  }
}
