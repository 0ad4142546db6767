/** What a VM's CA may sign for: the extension nameConstraints (RFC 5280, 4.2.1.10). */
import type { Names } from '../names.ts'

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
const excludedSubtrees = 0xa1

/** A name with all below it, or with a dot before it only that: GeneralSubtree, without minimum and maximum. */
const subtree = (name: string) => der(sequence, der(0x82, Buffer.from(name, 'latin1')))

const subtrees = (tag: number, names: string[]) =>
  names.length === 0 ? Buffer.alloc(0) : der(tag, Buffer.concat(names.map(subtree)))

/** What a name stands below: of `a.b.c` that is `b.c` and `c`. */
const parentsOf = (name: string) =>
  name
    .split('.')
    .map((_, index, labels) => labels.slice(index + 1).join('.'))
    .filter(Boolean)

/**
 * The extension's value in DER. A permitted name includes all below it, and the VM has nothing there: that is excluded
 * again, unless one of its own names stands there. A dot before it is not in the RFC's words on DNS names, but
 * OpenSSL, GnuTLS, NSS, Python and Go were seen to read it so.
 *
 * Of addresses it says nothing: BoringSSL, and with it opencode, Cline and Claude Code, refuses every chain whose leaf
 * has an address and whose CA a range ("unsupported name constraint type"). What people keep their money at has a name.
 */
export function constraintsFor({ dns }: Names): Buffer {
  const isParent = (name: string) => dns.some(other => parentsOf(other).includes(name))
  const excluded = dns.filter(name => !isParent(name)).map(name => `.${name}`)
  return der(
    sequence,
    Buffer.concat([subtrees(permittedSubtrees, dns), subtrees(excludedSubtrees, excluded)]),
  )
}

/**
 * The names that a CA's certificate, in DER, does not permit; all, where it is not one of ours. Looked for as
 * `constraintsFor` writes each: DER has one form for a value, and tells its length.
 */
export function outside(ca: Buffer, { dns }: Names): string[] {
  const permits = (name: string) => ca.includes(subtree(name))
  const excludesBelow = (name: string) => ca.includes(subtree(`.${name}`))
  return dns.filter(name => {
    const parents = parentsOf(name)
    return ![name, ...parents].some(permits) || parents.some(excludesBelow)
  })
}
