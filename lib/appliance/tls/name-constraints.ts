/** The DNS names that a VM's CA may sign for (nameConstraints: RFC 5280, 4.2.1.10). */
import type { Names } from '../names.ts'

/** A name includes itself and every name below it; with a leading dot, only those below it. */
export type NameConstraints = { permitted: string[]; excluded: string[] }

/** A name's parents: for `a.b.c`, `b.c` and `c`. */
const parentsOf = (name: string) =>
  name
    .split('.')
    .map((_, index, labels) => labels.slice(index + 1).join('.'))
    .filter(Boolean)

/**
 * Constraints to exactly these names. A permitted name includes all names below it, so those are excluded
 * again, unless one of the VM's own is among them. The RFC does not define the leading dot for DNS names, but
 * OpenSSL, GnuTLS, NSS, Python and Go were observed to read it this way.
 *
 * IP addresses are not constrained: BoringSSL, and therefore opencode, Cline and Claude Code, refuses every
 * chain with an address in the leaf and an address constraint in the CA ("unsupported name constraint type").
 */
export function constraintsFor({ dns }: Names): NameConstraints {
  const isParent = (name: string) => dns.some(other => parentsOf(other).includes(name))
  return { permitted: dns, excluded: dns.filter(name => !isParent(name)).map(name => `.${name}`) }
}

/** The names that the constraints do not permit; all if there are none, since every CA of ours has some. */
export function namesNotPermitted(constraints: NameConstraints | undefined, { dns }: Names): string[] {
  const { permitted, excluded } = constraints ?? { permitted: [], excluded: [] }
  return dns.filter(name => {
    const parents = parentsOf(name)
    const isPermitted = [name, ...parents].some(each => permitted.includes(each))
    const isExcluded = [name, ...parents, ...parents.map(each => `.${each}`)].some(each =>
      excluded.includes(each),
    )
    return !isPermitted || isExcluded
  })
}
