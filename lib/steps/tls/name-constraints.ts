/** Encodes and decodes the nameConstraints extension (RFC 5280, 4.2.1.10) with node-forge's ASN.1. */
import type Forge from 'node-forge'
import type { NameConstraints } from '../../appliance/tls/name-constraints.ts'

/** The extension's object identifier. */
export const nameConstraintsId = '2.5.29.30'

/** Context-specific tags of the two lists in NameConstraints, and of dNSName in GeneralName. */
const tags = { permitted: 0, excluded: 1, dnsName: 2 } as const

/** The extension's DER value as a binary string, the form in which node-forge takes extensions unknown to it. */
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

/** The inverse of `encodeNameConstraints`. Throws if the value is not DER. */
function decodeNameConstraints({ asn1 }: typeof Forge, der: string): NameConstraints {
  const parts = ({ value }: Forge.asn1.Asn1) => (Array.isArray(value) ? value : [])
  const lists = parts(asn1.fromDer(der))
  const namesUnder = (tag: number) =>
    lists
      .filter(({ type }) => type === tag)
      .flatMap(parts)
      .flatMap(parts)
      .filter(({ type }) => type === tags.dnsName)
      .map(({ value }) => String(value))
  return { permitted: namesUnder(tags.permitted), excluded: namesUnder(tags.excluded) }
}

/** The name constraints of a CA certificate in PEM; undefined if it has none, or was not issued by us. */
export function readNameConstraints(forge: typeof Forge, certificate: string): NameConstraints | undefined {
  try {
    const { extensions } = forge.pki.certificateFromPem(certificate)
    const value: string | undefined = extensions.find(({ id }) => id === nameConstraintsId)?.value
    return value === undefined ? undefined : decodeNameConstraints(forge, value)
  } catch {
    // Not RSA, or an invalid extension: not issued by us, and treated like a CA without constraints.
    return undefined
  }
}
