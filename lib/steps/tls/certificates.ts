/** The VM's own CA and certificates: reads them from disk, and describes them for the TLS decision. */
import { X509Certificate } from 'node:crypto'
import type Forge from 'node-forge'
import type { Names } from '../../appliance/names.ts'
import { certificateFiles, configureCommand, paths } from '../../appliance/paths.ts'
import type { Ca, CaCertificate, InstalledPair, Leaf, Pair } from '../../appliance/tls/certificates.ts'
import type { Host } from '../../system/host.ts'
import { certificateOf, covers, datesOf, isSignedBy, namesIn, parsedCertificate } from '../../system/x509.ts'
import { readNameConstraints } from './name-constraints.ts'

function readPair(host: Host, certificatePath: string, keyPath: string): Pair | undefined {
  const certificate = host.files.read(certificatePath)
  return certificate === undefined ? undefined : { certificate, key: host.files.read(keyPath) ?? '' }
}

export const readCaPair = (host: Host) => readPair(host, paths.caCertificate, paths.caKey)
export const readPreviousCaPair = (host: Host) =>
  readPair(host, paths.previousCaCertificate, paths.previousCaKey)
export const readLeafPair = (host: Host) => {
  const { chain, key } = certificateFiles
  return readPair(host, `${paths.privateCertificate}/${chain}`, `${paths.privateCertificate}/${key}`)
}

/** The CA on disk. Throws if configure has not created it. */
export function readCa(host: Host): Pair {
  return { ...readCaCertificate(host), key: host.files.read(paths.caKey) ?? '' }
}

/** Its certificate, which everybody may read. Throws likewise. */
export function readCaCertificate(host: Host): Pick<Pair, 'certificate'> {
  const certificate = host.files.read(paths.caCertificate)
  if (certificate === undefined) throw new Error(`No CA in ${paths.tls}. Fix: run \`${configureCommand}\`.`)
  return { certificate }
}

/** Describes a CA for the decision. */
export function describeCa(forge: typeof Forge, pair: Pair): Ca {
  const certificate = parsedCertificate(pair.certificate)
  return {
    pair,
    certificate: certificate && describeCertificate(forge, certificate),
    hasKey: certificateOf(pair) !== undefined,
  }
}

const describeCertificate = (forge: typeof Forge, certificate: X509Certificate): CaCertificate => ({
  dates: datesOf(certificate),
  fingerprint: certificate.fingerprint256,
  constraints: certificate.ca ? readNameConstraints(forge, certificate.toString()) : undefined,
})

/** Describes a leaf certificate for the decision; undefined if certificate and key are not a valid pair. */
export function describeLeaf(pair: Pair, names: Names, authorities: (Pair | undefined)[]): Leaf | undefined {
  const certificate = certificateOf(pair)
  if (certificate === undefined) return undefined
  const issuer = authorities
    .map(authority => authority && parsedCertificate(authority.certificate))
    .find(authority => authority !== undefined && isSignedBy(certificate, authority))
  return {
    pair,
    dates: datesOf(certificate),
    issuer: issuer?.fingerprint256,
    isForNames: isFor(certificate, names),
  }
}

/** Whether a certificate covers exactly these names and addresses. */
const isFor = (certificate: X509Certificate, { dns, ip }: Names) =>
  namesIn(certificate).length === dns.length + ip.length &&
  [...dns, ...ip].every(name => covers(certificate, name))

/** The VM's own pair, to be installed in a folder named by its serial number. */
export const ownPair = (pair: Pair): InstalledPair => ({
  mode: 'private',
  target: `certificates/${new X509Certificate(pair.certificate).serialNumber.toLowerCase()}`,
  pair,
})
