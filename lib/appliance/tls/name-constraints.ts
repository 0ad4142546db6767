/** The DNS names that a VM's CA may sign for (nameConstraints: RFC 5280, 4.2.1.10). */
import type { Names } from '../names.ts'

/** A name stands for itself and every name below it; with a leading dot for those below it alone. */
export type NameConstraints = { permitted: string[]; excluded: string[] }

/** The names above one: of `a.b.c` these are `b.c` and `c`. */
const parentsOf = (name: string) =>
  name
    .split('.')
    .map((_, index, labels) => labels.slice(index + 1).join('.'))
    .filter(Boolean)

/**
 * Exactly these names. A permitted name includes all below it, and the VM has nothing there: that is excluded again,
 * unless another of its own names is below. The RFC does not define the leading dot for DNS names, but OpenSSL, GnuTLS,
 * NSS, Python and Go were seen to read it so.
 *
 * IP addresses are not constrained: BoringSSL, and with it opencode, Cline and Claude Code, refuses every chain whose
 * leaf has an address and whose CA a range ("unsupported name constraint type").
 */
export function constraintsFor({ dns }: Names): NameConstraints {
  const isParent = (name: string) => dns.some(other => parentsOf(other).includes(name))
  return { permitted: dns, excluded: dns.filter(name => !isParent(name)).map(name => `.${name}`) }
}

/** The names that the constraints do not permit. A CA without constraints is not one of ours: it permits none. */
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
