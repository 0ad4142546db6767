/** The VM's own certificate: a leaf for its names and addresses, under a small CA that may sign for nothing else. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Names } from '../../appliance/names.ts'
import { certificateFiles, configureCommand, paths } from '../../appliance/paths.ts'
import {
  type Certificates,
  type InstalledPair,
  type Pair,
  validity,
} from '../../appliance/tls/certificates.ts'
import { type Clock, isCaInTime, isLeafGood } from '../../appliance/tls/clock.ts'
import { outside } from '../../appliance/tls/name-constraints.ts'
import type { Host } from '../../system/host.ts'
import type { ManagedFile } from '../../system/managed-files.ts'
import { certificateOf, covers, datesOf, isSignedBy, namesIn } from '../../system/x509.ts'

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
  const previousCa = pair(paths.previousCaCertificate, paths.previousCaKey)
  return { ...(ca && { ca }), ...(leaf && { leaf }), ...(previousCa && { previousCa }) }
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

/** A CA without the line that says when it was replaced. */
const withoutStamp = ({ certificate, key }: Pair): Pair => ({
  certificate: certificate.replace(/^Replaced .*\n/, ''),
  key,
})

/** The certificate of a CA, if it may sign for these names, and is not over. */
function fitCa(pair: Pair | undefined, names: Names, clock: Clock): X509Certificate | undefined {
  const ca = certificateOf(pair)
  return ca?.ca && isCaInTime(clock, datesOf(ca)) && outside(ca.raw, names).length === 0 ? ca : undefined
}

/**
 * Of the pairs found, those that are still good: a CA that may sign for these names and is not over, in want of that
 * the one before it; a leaf under it for just these names.
 */
export function goodCertificates(
  found: Partial<Certificates>,
  names: Names,
  clock: Clock,
): Partial<Pick<Certificates, 'ca' | 'leaf'>> {
  if (found.ca === undefined) return {}
  const candidates = [found.ca, ...(found.previousCa === undefined ? [] : [withoutStamp(found.previousCa)])]
  for (const pair of candidates) {
    const ca = fitCa(pair, names, clock)
    if (ca === undefined) continue
    const leaf = certificateOf(found.leaf)
    const isOurs = leaf !== undefined && isSignedBy(leaf, ca) && isFor(leaf, names)
    const isGood = isOurs && isLeafGood(clock, datesOf(leaf), datesOf(ca))
    return found.leaf && isGood ? { ca: pair, leaf: found.leaf } : { ca: pair }
  }
  return {}
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
export function withPreviousCa(made: Certificates, found: Partial<Certificates>, now: Date): Certificates {
  const { ca, previousCa } = found
  const isReplaced = ca?.certificate !== made.ca.certificate && parsed(ca?.certificate) !== undefined
  const former = ca !== undefined && isReplaced ? replaced(ca, previousCa, now) : previousCa
  return { ...made, ...(former !== undefined && { previousCa: former }) }
}

/** A CA as it is kept. One whose new key came and whose new certificate did not, as a kill leaves it, is kept already. */
function replaced(ca: Pair, before: Pair | undefined, now: Date): Pair {
  const isKept = before !== undefined && withoutStamp(before).certificate === ca.certificate
  if (certificateOf(ca) === undefined && isKept) return before
  const key = certificateOf(ca) === undefined ? '' : ca.key
  return { certificate: `Replaced ${now.toISOString()}\n${ca.certificate}`, key }
}

/** When a CA was replaced: as its first line says; before there was one, shortly after the next began. */
function replacedAt(former: Pair, current: X509Certificate): Date {
  const stamp = former.certificate.match(/^Replaced (\S+)\n/)?.[1]
  return stamp === undefined ? new Date(current.validFromDate.getTime() + day) : new Date(stamp)
}

/** What report, banner and log say of the CA: for its first days that it has replaced another, and why. */
export function caNotes({ ca, previousCa }: Partial<Certificates>, names: Names, clock: Clock): string[] {
  const [current, former] = [parsed(ca?.certificate), parsed(previousCa?.certificate)]
  if (current === undefined) return []
  const notes = clockNotes(current, clock)
  if (former === undefined || previousCa === undefined) return notes
  if (clock.now.getTime() - replacedAt(previousCa, current).getTime() > validity.announceCa * day)
    return notes
  const beyond = outside(former.raw, names)
  const because =
    beyond.length > 0
      ? ` The former may not sign for ${beyond.join(', ')}.`
      : certificateOf(previousCa) === undefined
        ? " The former's key was missing or damaged."
        : ''
  return [
    ...notes,
    `The CA is a new one: trust it on each developer's machine in place of the former.${because}` +
      ` SHA-256 of the former: ${former.fingerprint256} and of the new: ${current.fingerprint256}`,
  ]
}

/** What is kept although this clock has it that it is not valid. */
function clockNotes({ validFromDate: from, validToDate: to }: X509Certificate, { now }: Clock): string[] {
  if (from <= now && now < to) return []
  const [start, end] = [from, to].map(date => date.toISOString().slice(0, 10))
  return [
    `This machine's clock says ${now.toISOString().slice(0, 19)}Z, and nothing confirms it. The CA, valid from ${start} ` +
      `to ${end}, is kept. If the clock is wrong, correct it, e.g. by ONEAPP_COPILOT_NTP_SERVERS.`,
  ]
}

/** The own pair, in a folder named by the leaf's serial number. */
export const ownPair = ({ leaf }: Certificates): InstalledPair => ({
  mode: 'private',
  target: `certificates/${new X509Certificate(leaf.certificate).serialNumber.toLowerCase()}`,
  pair: leaf,
})

/** The CA as managed files: the one it replaces first, or a kill in between would forget it. */
export const caFiles = ({ ca, previousCa }: Certificates): ManagedFile[] => [
  ...(previousCa === undefined
    ? []
    : [
        { path: paths.previousCaKey, mode: 0o600, text: previousCa.key },
        { path: paths.previousCaCertificate, mode: 0o644, text: previousCa.certificate },
      ]),
  { path: paths.caKey, mode: 0o600, text: ca.key },
  { path: paths.caCertificate, mode: 0o644, text: ca.certificate },
]
