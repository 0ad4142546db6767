/** A pair from the context: whether it will do, and where it stands. */
import { createHash, createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto'
import type { Context } from '../../appliance/context/context.ts'
import { variables } from '../../appliance/context/variables.ts'
import type { Problem } from '../../appliance/problems.ts'
import { type Clock, isCredible } from '../../appliance/tls/clock.ts'
import type { SuppliedPair } from '../../appliance/tls/decision.ts'
import { certificatesIn, covers, isSignedBy, isUnderPublicRoot, namesIn } from '../../system/x509.ts'

/** What is wrong with the certificates and the key that are given; each is told of the variable to correct. */
export const suppliedPairProblems =
  (clock: Clock) =>
  (context: Context): Problem[] => [...pairProblems(context, clock), ...acmeCaProblems(context)]

/** certbot would tell of it only in an attempt's failure. */
function acmeCaProblems({ acmeCa }: Context): Problem[] {
  if (acmeCa === undefined || parsedOr(() => certificatesIn(acmeCa)) !== undefined) return []
  const { name, takes } = variables.acmeCa
  return [{ variable: name, got: 'what looks like a certificate and is none', takes }]
}

function pairProblems({ tlsCertificate, tlsKey }: Context, clock: Clock): Problem[] {
  if (tlsCertificate === undefined || tlsKey === undefined) return []
  const chain = parsedOr(() => certificatesIn(tlsCertificate))
  const key = parsedOr(() => createPrivateKey(tlsKey))
  const [leaf] = chain ?? []
  if (chain === undefined || leaf === undefined)
    return [certificateProblem('what looks like a certificate and is none', variables.tlsCertificate.takes)]
  if (key === undefined) return [keyProblem('what looks like a key and is none', variables.tlsKey.takes)]
  if (!leaf.checkPrivateKey(key)) return [strangeKey(chain, leaf, key)]
  return [
    ...chain.flatMap(certificate => validityProblems(certificate, clock)),
    ...chainProblems(chain),
    ...(namesIn(leaf).length > 0
      ? []
      : [certificateProblem(`one without names: ${named(leaf)}`, 'a certificate with subjectAltName')]),
  ]
}

function parsedOr<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    // OpenSSL's words on it ("wrong tag") help nobody; the problem says what the variable takes.
    return undefined
  }
}

const certificateProblem = (got: string, takes: string): Problem => ({
  variable: variables.tlsCertificate.name,
  got,
  takes,
})
const keyProblem = (got: string, takes: string): Problem => ({ variable: variables.tlsKey.name, got, takes })

const quoted = (name: string) => JSON.stringify(name.split('\n').join(', '))

/** A certificate by its subject, which may be empty. */
const named = ({ subject, serialNumber }: X509Certificate) =>
  quoted((subject as string | undefined) ?? `serial number ${serialNumber}`)

/** A key that is not the first certificate's: the chain may be upside down. */
function strangeKey(chain: X509Certificate[], leaf: X509Certificate, key: KeyObject): Problem {
  const number = chain.findIndex(certificate => certificate.checkPrivateKey(key)) + 1
  return number > 0
    ? certificateProblem(`the key's own as number ${number}`, 'it first, then its issuers up to the root')
    : keyProblem('the key of another certificate', `the key of ${named(leaf)}`)
}

/** By a clock that cannot be right none is refused. */
function validityProblems(certificate: X509Certificate, clock: Clock): Problem[] {
  if (!isCredible(clock)) return []
  const { now } = clock
  const { validFromDate: from, validToDate: to } = certificate
  if (from <= now && now < to) return []
  const when = to <= now ? `expired ${to.toISOString()}` : `valid from ${from.toISOString()} on`
  return [certificateProblem(`${named(certificate)}, ${when}`, 'one that is valid')]
}

/** Each certificate signed by the next (RFC 8446, 4.4.2), up to a root, or to below one that everybody knows. */
function chainProblems(chain: X509Certificate[]): Problem[] {
  for (const [index, certificate] of chain.entries()) {
    const next = chain[index + 1]
    if (next !== undefined && !isSignedBy(certificate, next))
      return [
        certificateProblem(
          `number ${index + 2} that did not sign number ${index + 1}`,
          `${quoted(certificate.issuer)} there`,
        ),
      ]
  }
  const last = chain.at(-1)
  if (last === undefined || isSignedBy(last, last) || isUnderPublicRoot(last)) return []
  return [
    certificateProblem(
      `a chain that ends with ${named(last)}`,
      `its issuers too, up to the root: ${quoted(last.issuer)}`,
    ),
  ]
}

/** The supplied pair, in strict PEM, in a folder named by its digest. */
export function suppliedPair({ tlsCertificate, tlsKey, domain }: Context): SuppliedPair | undefined {
  if (tlsCertificate === undefined || tlsKey === undefined) return undefined
  const chain = certificatesIn(tlsCertificate)
  const certificate = chain.join('')
  const digest = createHash('sha256').update(certificate).digest('hex').slice(0, 32)
  const [leaf] = chain
  return {
    mode: 'supplied',
    target: `certificates/supplied-${digest}`,
    pair: { certificate, key: tlsKey },
    names: leaf === undefined ? [] : namesIn(leaf),
    missing: leaf !== undefined && domain !== undefined && !covers(leaf, domain) ? domain : undefined,
  }
}
