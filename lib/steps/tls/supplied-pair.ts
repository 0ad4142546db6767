/** Certificate and key from the context: validation, and the folder for them. */
import { createHash, createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Context } from '../../appliance/context/context.ts'
import { variables } from '../../appliance/context/variables.ts'
import type { Problem } from '../../appliance/problems.ts'
import { type Clock, isCredible } from '../../appliance/tls/clock.ts'
import type { SuppliedPair } from '../../appliance/tls/decision.ts'
import { certificatesIn, covers, isSignedBy, isUnderPublicRoot, namesIn } from '../../system/x509.ts'

/** Problems with the supplied certificates and key, each with the variable to correct. */
export const suppliedPairProblems =
  (clock: Clock) =>
  (context: Context): Problem[] => [...pairProblems(context, clock), ...caProblems(context)]

/** Checked here, since certbot and rsyslog would report it only when a connection fails. */
const caProblems = (context: Context): Problem[] =>
  (['acmeCa', 'syslogCa'] as const)
    .filter(name => {
      const text = context[name]
      return text !== undefined && parsedOr(() => certificatesIn(text)) === undefined
    })
    .map(name => variables[name])
    .map(({ name, takes }) => ({ variable: name, got: 'a PEM certificate that cannot be parsed', takes }))

function pairProblems({ tlsCertificate, tlsKey }: Context, clock: Clock): Problem[] {
  if (tlsCertificate === undefined || tlsKey === undefined) return []
  const chain = parsedOr(() => certificatesIn(tlsCertificate))
  const key = parsedOr(() => createPrivateKey(tlsKey))
  const [leaf] = chain ?? []
  if (chain === undefined || leaf === undefined)
    return [certificateProblem('a PEM certificate that cannot be parsed', variables.tlsCertificate.takes)]
  if (key === undefined)
    return [keyProblem('a PEM private key that cannot be parsed', variables.tlsKey.takes)]
  if (!leaf.checkPrivateKey(key)) return [mismatchedKey(chain, leaf, key)]
  return [
    ...chain.flatMap(certificate => validityProblems(certificate, clock)),
    ...chainProblems(chain),
    ...(namesIn(leaf).length > 0
      ? []
      : [
          certificateProblem(
            `a certificate without subjectAltName: ${named(leaf)}`,
            'a certificate with subjectAltName',
          ),
        ]),
  ]
}

function parsedOr<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    // OpenSSL's message ("wrong tag") is not helpful; the problem says what the variable takes.
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

/** A certificate's subject, or its serial number if that is empty. */
const named = ({ subject, serialNumber }: X509Certificate) =>
  quoted((subject as string | undefined) ?? `serial number ${serialNumber}`)

/** The problem if the key does not match the first certificate: perhaps the chain is in the wrong order. */
function mismatchedKey(chain: X509Certificate[], leaf: X509Certificate, key: KeyObject): Problem {
  const number = chain.findIndex(certificate => certificate.checkPrivateKey(key)) + 1
  return number > 0
    ? certificateProblem(
        `the certificate of the key as number ${number} of the chain`,
        'that one first, then its issuers up to the root',
      )
    : keyProblem('a key that does not belong to the certificate', `the key of ${named(leaf)}`)
}

/** Validity dates are checked only if the clock is credible. */
function validityProblems(certificate: X509Certificate, clock: Clock): Problem[] {
  if (!isCredible(clock)) return []
  const { now } = clock
  const { validFromDate: from, validToDate: to } = certificate
  if (from <= now && now < to) return []
  const when = to <= now ? `expired on ${to.toISOString()}` : `valid only from ${from.toISOString()}`
  return [certificateProblem(`${named(certificate)}, ${when}`, 'a certificate that is valid now')]
}

/** Each certificate must be signed by the next (RFC 8446, 4.4.2), up to a root or one signed by a public root. */
function chainProblems(chain: X509Certificate[]): Problem[] {
  for (const [index, certificate] of chain.entries()) {
    const next = chain[index + 1]
    if (next !== undefined && !isSignedBy(certificate, next))
      return [
        certificateProblem(
          `a chain whose certificate ${index + 2} did not sign certificate ${index + 1}`,
          `${quoted(certificate.issuer)} as certificate ${index + 2}`,
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

/** The supplied pair in strict PEM, to be installed in a folder named by its digest. */
export function suppliedPair({
  tlsCertificate,
  tlsKey,
  domain,
  floatingAddresses,
}: Context): SuppliedPair | undefined {
  if (tlsCertificate === undefined || tlsKey === undefined) return undefined
  const chain = certificatesIn(tlsCertificate)
  const certificate = chain.join('')
  const digest = createHash('sha256').update(certificate).digest('hex').slice(0, 32)
  const [leaf] = chain
  const names = leaf === undefined ? [] : namesIn(leaf)
  // Any other name of it may stand for the floating address.
  const address = names.every(name => isIP(name) > 0) ? floatingAddresses[0] : undefined
  const expected = domain ?? address
  return {
    mode: 'supplied',
    target: `certificates/supplied-${digest}`,
    pair: { certificate, key: tlsKey },
    names,
    missing: leaf !== undefined && expected !== undefined && !covers(leaf, expected) ? expected : undefined,
  }
}
