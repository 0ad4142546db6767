/** The VM's own certificate: a leaf for its names and addresses, under a small CA that may sign for nothing else. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { type Certificates, type Pair, type Servable, validity } from '../appliance/certificates.ts'
import { outside } from '../appliance/name-constraints.ts'
import type { Names } from '../appliance/names.ts'
import { certificateFiles, configureCommand, paths } from '../appliance/paths.ts'
import type { Host } from '../system/host.ts'
import type { ManagedFile } from '../system/managed-files.ts'
import { covers, isSignedBy, namesIn, soundCertificate } from '../system/x509.ts'

const day = 86_400_000

/** The pairs on disk, sound or not. */
export function readCertificates(host: Host): Partial<Certificates> {
  const pair = (certificatePath: string, keyPath: string): Pair | undefined => {
    const certificate = host.files.read(certificatePath)
    return certificate === undefined ? undefined : { certificate, key: host.files.read(keyPath) ?? '' }
  }
  const { chain, key } = certificateFiles
  const ca = pair(paths.caCertificate, paths.caKey)
  const leaf = pair(`${paths.privateCertificate}/${chain}`, `${paths.privateCertificate}/${key}`)
  const formerCa = host.files.read(paths.formerCaCertificate)
  return { ...(ca && { ca }), ...(leaf && { leaf }), ...(formerCa !== undefined && { formerCa }) }
}

/** The CA on disk. Throws when configure has not put it there. */
export function readCa(host: Host): Pair {
  const { ca } = readCertificates(host)
  if (ca === undefined) throw new Error(`No CA in ${paths.tls}: run \`${configureCommand}\` first.`)
  return ca
}

/** The names and addresses that the leaf on disk is for. Throws when there is none. */
export function namesOfLeaf({ leaf }: Partial<Certificates>): Names {
  if (leaf === undefined)
    throw new Error(`No certificate in ${paths.tls}: run \`${configureCommand}\` first.`)
  const names = namesIn(new X509Certificate(leaf.certificate))
  return { dns: names.filter(name => isIP(name) === 0), ip: names.filter(name => isIP(name) !== 0) }
}

/** Whether a certificate is for exactly these names and addresses. */
const isFor = (certificate: X509Certificate, { dns, ip }: Names) =>
  namesIn(certificate).length === dns.length + ip.length &&
  [...dns, ...ip].every(name => covers(certificate, name))

/**
 * Of the pairs found, those that are still good: a CA that outlives its leaves and may sign for these names, a leaf
 * under it for just these.
 */
export function goodCertificates(
  found: Partial<Certificates>,
  names: Names,
  now: Date,
): Partial<Pick<Certificates, 'ca' | 'leaf'>> {
  const ca = soundCertificate(found.ca, now, validity.leaf * day)
  if (found.ca === undefined || ca === undefined || outside(ca.raw, names).length > 0) return {}
  const leaf = soundCertificate(found.leaf, now, validity.renewBefore * day)
  const isOurs = leaf !== undefined && isSignedBy(leaf, ca) && isFor(leaf, names)
  return found.leaf && isOurs ? { ca: found.ca, leaf: found.leaf } : { ca: found.ca }
}

/** The certificate of a PEM text, if it is one. */
function parsed(pem: string | undefined): X509Certificate | undefined {
  try {
    return pem === undefined ? undefined : new X509Certificate(pem)
  } catch {
    // Half a file: nobody can have trusted it, so there is nothing to tell of it.
    return undefined
  }
}

/** The pairs with the CA that was replaced, now or before: clients that trusted it must be told. */
export function withFormerCa(made: Certificates, found: Partial<Certificates>): Certificates {
  const isNew = found.ca !== undefined && found.ca.certificate !== made.ca.certificate
  const formerCa = isNew && parsed(found.ca?.certificate) ? found.ca?.certificate : found.formerCa
  return { ...made, ...(formerCa !== undefined && { formerCa }) }
}

/** What report, banner and log say of a CA that has replaced another, for its first days. */
export function caNotes({ ca, formerCa }: Partial<Certificates>, names: Names, now: Date): string[] {
  const [current, former] = [parsed(ca?.certificate), parsed(formerCa)]
  if (current === undefined || former === undefined) return []
  if (now.getTime() - current.validFromDate.getTime() > (validity.announceCa + 1) * day) return []
  const beyond = outside(former.raw, names)
  const because = beyond.length === 0 ? '' : ` The former may not sign for ${beyond.join(', ')}.`
  return [
    `The CA is a new one: trust it on each developer's machine in place of the former.${because}` +
      ` SHA-256 of the former: ${former.fingerprint256} and of the new: ${current.fingerprint256}`,
  ]
}

/** The own pair, in a folder named by the leaf's serial number. */
export const ownPair = ({ leaf }: Certificates): Servable => ({
  mode: 'private',
  target: `certificates/${new X509Certificate(leaf.certificate).serialNumber.toLowerCase()}`,
  pair: leaf,
})

/** The CA as managed files: the one it replaces first, or a kill in between would forget it. */
export const caFiles = ({ ca, formerCa }: Certificates): ManagedFile[] => [
  ...(formerCa === undefined ? [] : [{ path: paths.formerCaCertificate, mode: 0o644, text: formerCa }]),
  { path: paths.caKey, mode: 0o600, text: ca.key },
  { path: paths.caCertificate, mode: 0o644, text: ca.certificate },
]
