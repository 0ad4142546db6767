/** What a VM's CA may sign for: the extension nameConstraints (RFC 5280, 4.2.1.10). */
import type { Names } from './names.ts'

/** The extension's object identifier. */
export const nameConstraintsId = '2.5.29.30'

/** A value in DER: tag, length, content (X.690, 8.1). */
function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  if (length < 0x80) return Buffer.from([tag, length, ...content])
  if (length < 0x100) return Buffer.from([tag, 0x81, length, ...content])
  return Buffer.from([tag, 0x82, length >> 8, length & 0xff, ...content])
}

const sequence = 0x30
const permittedSubtrees = 0xa0

/** A name with all below it: GeneralSubtree, without minimum and maximum. */
const nameSubtree = (name: string) => der(sequence, der(0x82, Buffer.from(name, 'latin1')))

/**
 * The extension's value in DER: it permits these names. Of addresses it says nothing: BoringSSL, and with it opencode,
 * Cline and Claude Code, refuses every chain whose leaf has an address and whose CA a range ("unsupported name
 * constraint type"). What people keep their money at has a name.
 */
export const constraintsFor = ({ dns }: Names): Buffer =>
  der(sequence, der(permittedSubtrees, Buffer.concat(dns.map(nameSubtree))))

/** A name, and what it stands below: `a.b.c`, `b.c`, `c`. */
const upwards = (name: string) => name.split('.').map((_, index, labels) => labels.slice(index).join('.'))

/**
 * The names that a CA's certificate, in DER, does not permit; all, where it is not one of ours. Looked for as
 * `constraintsFor` writes each: DER has one form for a value, and tells its length.
 */
export const outside = (ca: Buffer, { dns }: Names): string[] =>
  dns.filter(name => !upwards(name).some(each => ca.includes(nameSubtree(each))))
