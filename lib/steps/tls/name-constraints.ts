/** The extension nameConstraints in DER, written and read by node-forge's ASN.1 (RFC 5280, 4.2.1.10). */
import type Forge from 'node-forge'
import type { NameConstraints } from '../../appliance/tls/name-constraints.ts'

/** The extension's object identifier. */
export const nameConstraintsId = '2.5.29.30'

/** Context-specific tags: of NameConstraints' two lists, and of a DNS name among the GeneralNames. */
const tags = { permitted: 0, excluded: 1, dnsName: 2 } as const

/** The extension's value as a string of bytes, which is how node-forge takes an extension that it does not know. */
export function encodeNameConstraints(
  { asn1 }: typeof Forge,
  { permitted, excluded }: NameConstraints,
): string {
  const { Class, Type, create } = asn1
  const subtree = (name: string) =>
    create(Class.UNIVERSAL, Type.SEQUENCE, true, [create(Class.CONTEXT_SPECIFIC, tags.dnsName, false, name)])
  const subtrees = (tag: number, names: string[]) =>
    names.length === 0 ? [] : [create(Class.CONTEXT_SPECIFIC, tag, true, names.map(subtree))]
  const lists = [...subtrees(tags.permitted, permitted), ...subtrees(tags.excluded, excluded)]
  return asn1.toDer(create(Class.UNIVERSAL, Type.SEQUENCE, true, lists)).getBytes()
}

/** What `encodeNameConstraints` wrote. Throws where that is no DER. */
function decodeNameConstraints({ asn1 }: typeof Forge, der: string): NameConstraints {
  const parts = ({ value }: Forge.asn1.Asn1) => (Array.isArray(value) ? value : [])
  const lists = parts(asn1.fromDer(der))
  const namesUnder = (tag: number) =>
    lists
      .filter(({ type }) => type === tag)
      .flatMap(parts)
      .flatMap(subtree => parts(subtree).slice(0, 1))
      .filter(({ type }) => type === tags.dnsName)
      .map(({ value }) => String(value))
  return { permitted: namesUnder(tags.permitted), excluded: namesUnder(tags.excluded) }
}

/** The constraints of a CA's certificate, in PEM; undefined where it has none, or is not one that we issued. */
export function readNameConstraints(forge: typeof Forge, certificate: string): NameConstraints | undefined {
  try {
    const { extensions } = forge.pki.certificateFromPem(certificate)
    const value: string | undefined = extensions.find(({ id }) => id === nameConstraintsId)?.value
    return value === undefined ? undefined : decodeNameConstraints(forge, value)
  } catch {
    // Not RSA, or an extension that is no DER: somebody else's. It permits nothing here, as one without constraints.
    return undefined
  }
}
