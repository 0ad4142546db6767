/** What clients see of the pair in use: the endpoints that they can verify, what to trust, and the page that says so. */
import { X509Certificate } from 'node:crypto'
import { describedCapacity, type Plan } from '../../appliance/plan.ts'
import type { InstalledPair, Pair, TlsSummary } from '../../appliance/tls/certificates.ts'
import { landingPage } from '../../render/page/landing-page.ts'
import { covers, namesIn } from '../../system/x509.ts'
import { isPublic } from './installed-pairs.ts'
import type { Tls } from './tls.ts'

/** What people compare, and read in the report. */
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

/** The endpoints that clients can verify, and what there is to trust. */
export const clientView = (inUse: InstalledPair, ca: Pair, endpoints: string[]) => ({
  endpoints: verifiableEndpoints(inUse, endpoints),
  tls: tlsSummary(inUse, ca),
})

/** Of these names and addresses those that clients can verify; where there are none, those of the certificate. */
export function verifiableEndpoints(inUse: InstalledPair, endpoints: string[]): string[] {
  const certificate = new X509Certificate(inUse.pair.certificate)
  const covered = endpoints.filter(name => covers(certificate, name))
  return covered.length > 0 ? covered : namesIn(certificate)
}

/** What this VM trusts when it asks its own nginx, and under which name: its CA, or the very chain that nginx should send. */
export function trustFor(inUse: InstalledPair, ca: Pair): { ca: string; serverName?: string } {
  if (inUse.mode === 'private') return { ca: ca.certificate }
  const [first = 'localhost'] = namesIn(new X509Certificate(inUse.pair.certificate))
  return { ca: inUse.pair.certificate, serverName: first.replace(/^\*\./, 'copilot.') }
}

/** The landing page by a plan and its TLS. */
export const landingPageFor = (plan: Plan, { inUse, ca }: Pick<Tls, 'inUse' | 'ca'>) =>
  landingPage({
    ...clientView(inUse, ca.pair, plan.endpoints),
    capacity: describedCapacity(plan),
    cacheSharing: plan.cacheSharing,
  })
