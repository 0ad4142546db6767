/** What a VM's CA may sign for: the extension nameConstraints (RFC 5280, 4.2.1.10). */
import type { Names } from './names.ts'

/** The extension's object identifier. */
export const nameConstraintsId = '2.5.29.30'

const groupsOf = (text: string) =>
  text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16))

/** Four bytes of an IPv4 address, or sixteen of an IPv6 one (RFC 4291, 2.2; no zone, no IPv4 in it). */
export function addressBytes(address: string): number[] {
  if (!address.includes(':')) return address.split('.').map(Number)
  const [before = [], after = []] = address.split('::').map(groupsOf)
  const gap = Array(8 - before.length - after.length).fill(0)
  return [...before, ...gap, ...after].flatMap(group => [group >> 8, group & 0xff])
}

/** The range `10.0.0.0/8` or the like: the address's bytes, then as many of its mask. */
export function range(text: string): number[] {
  const [address = '', prefix] = text.split('/')
  const bytes = addressBytes(address)
  const bits = Number(prefix ?? bytes.length * 8)
  const mask = bytes.map((_, index) => 0xff & ~(0xff >> Math.min(8, Math.max(0, bits - index * 8))))
  return [...bytes, ...mask]
}

/** Whether a range holds an address: one of its family whose bits under the mask are the range's. */
export function holds(ranged: number[], address: string): boolean {
  const bytes = addressBytes(address)
  const [start, mask] = [ranged.slice(0, bytes.length), ranged.slice(bytes.length)]
  return (
    mask.length === bytes.length &&
    bytes.every((byte, index) => ((byte ^ (start[index] ?? 0)) & (mask[index] ?? 0)) === 0)
  )
}

/** Addresses that belong to nobody on the internet: private, shared (RFC 6598), loopback, of the link, of the site. */
const privateRanges = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
].map(range)

const isPrivate = (address: string) => privateRanges.some(each => holds(each, address))

/** A value in DER: tag, length, content (X.690, 8.1). */
function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  if (length < 0x80) return Buffer.from([tag, length, ...content])
  if (length < 0x100) return Buffer.from([tag, 0x81, length, ...content])
  return Buffer.from([tag, 0x82, length >> 8, length & 0xff, ...content])
}

const sequence = 0x30
const permittedSubtrees = 0xa0

/** A name with all below it, a range of addresses: GeneralSubtree, without minimum and maximum. */
const nameSubtree = (name: string) => der(sequence, der(0x82, Buffer.from(name, 'latin1')))
const rangeSubtree = (ranged: number[]) => der(sequence, der(0x87, Buffer.from(ranged)))

const privateSubtrees = Buffer.concat(privateRanges.map(rangeSubtree))

/** The extension's value in DER: it permits the private ranges, these names, and of the public addresses just these. */
export const constraintsFor = ({ dns, ip }: Names): Buffer =>
  der(
    sequence,
    der(
      permittedSubtrees,
      Buffer.concat([
        privateSubtrees,
        ...dns.map(nameSubtree),
        ...ip.filter(address => !isPrivate(address)).map(address => rangeSubtree(range(address))),
      ]),
    ),
  )

/** A name, and what it stands below: `a.b.c`, `b.c`, `c`. */
const upwards = (name: string) => name.split('.').map((_, index, labels) => labels.slice(index).join('.'))

/**
 * The names and addresses that a CA's certificate, in DER, does not permit; all, where it is not one of ours. Looked
 * for as `constraintsFor` writes each: DER has one form for a value, and tells its length.
 */
export function outside(ca: Buffer, { dns, ip }: Names): string[] {
  if (!ca.includes(privateSubtrees)) return [...dns, ...ip]
  const permitsName = (name: string) => upwards(name).some(each => ca.includes(nameSubtree(each)))
  const permitsAddress = (address: string) => isPrivate(address) || ca.includes(rangeSubtree(range(address)))
  return [...dns.filter(name => !permitsName(name)), ...ip.filter(address => !permitsAddress(address))]
}
