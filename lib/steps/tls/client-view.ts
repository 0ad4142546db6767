/** What clients see of the pair in use: verifiable endpoints, what to trust, and the landing page that says so. */
import { X509Certificate } from 'node:crypto'
import type { Copilot } from '../../appliance/fleet/fleet.ts'
import { companionModels, describedCapacity, type Plan } from '../../appliance/plan.ts'
import type { InstalledPair, Pair, ServedCertificate, TlsSummary } from '../../appliance/tls/certificates.ts'
import { landingPage } from '../../render/page/landing-page.ts'
import type { Host } from '../../system/host.ts'
import type { ServerTrust } from '../../system/http.ts'
import { covers, namesIn } from '../../system/x509.ts'
import { isOnlyClockWrong } from './clock.ts'
import { isPublic } from './installed-pairs.ts'

/** The TLS facts shown in report and landing page. */
function tlsSummary(inUse: InstalledPair, ca: Pair): TlsSummary {
  const certificate = new X509Certificate(inUse.pair.certificate)
  return {
    mode: inUse.mode,
    names: namesIn(certificate),
    ends: certificate.validToDate.toISOString().slice(0, 10),
    isPublic: isPublic(inUse),
    caFingerprint: new X509Certificate(ca.certificate).fingerprint256,
  }
}

/** The endpoints that clients can verify, and what they must trust. */
export const clientView = (inUse: InstalledPair, ca: Pair, endpoints: string[]) => ({
  endpoints: verifiableEndpoints(inUse, endpoints),
  tls: tlsSummary(inUse, ca),
})

/** Those of these names and addresses that the certificate covers; if none, the certificate's own. */
export function verifiableEndpoints(inUse: ServedCertificate, endpoints: string[]): string[] {
  const certificate = new X509Certificate(inUse.pair.certificate)
  const covered = endpoints.filter(name => covers(certificate, name))
  return covered.length > 0 ? covered : namesIn(certificate)
}

/** What clients trust, and under which name: the VM's CA, or the chain in use itself. */
export function trustFor(
  inUse: ServedCertificate,
  ca: Pick<Pair, 'certificate'>,
): { ca: string; serverName?: string } {
  if (inUse.mode === 'private') return { ca: ca.certificate }
  const [first = 'localhost'] = namesIn(new X509Certificate(inUse.pair.certificate))
  return { ca: inUse.pair.certificate, serverName: first.replace(/^\*\./, 'copilot.') }
}

/**
 * What this VM trusts when it connects to its own nginx: the same, but under a wrong clock, by which no certificate is
 * valid, the very one in use.
 */
export const ownTrust = async (
  host: Host,
  inUse: ServedCertificate,
  ca: Pick<Pair, 'certificate'>,
): Promise<ServerTrust> =>
  (await isOnlyClockWrong(host, inUse)) ? { pinned: inUse.pair.certificate } : trustFor(inUse, ca)

/** The landing page for a plan and its TLS; a router's lists its copilots. */
export const landingPageFor = (
  plan: Plan,
  { inUse, ca }: { inUse: InstalledPair; ca: { pair: Pair } },
  copilots: Copilot[],
) =>
  landingPage({
    ...clientView(inUse, ca.pair, plan.endpoints),
    capacity: describedCapacity(plan),
    companions: companionModels(plan),
    cacheSharing: plan.cacheSharing,
    ...(plan.state === 'routing' && { copilots }),
  })
