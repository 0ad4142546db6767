/** The certificate that nginx comes to serve at boot: an ACME server's where one is to be had, else configure's choice. */

import { describedCapacity, type Plan } from '../lib/appliance/plan.ts'
import { services } from '../lib/appliance/services/services.ts'
import type { InstalledPair } from '../lib/appliance/tls/certificates.ts'
import { landingPage } from '../lib/render/page/landing-page.ts'
import { type Applied, applyService } from '../lib/steps/services/services.ts'
import { readClock } from '../lib/steps/tls/clock.ts'
import {
  inUseFiles,
  readPairInUse,
  tlsSummary,
  verifiableEndpoints,
} from '../lib/steps/tls/installed-pairs.ts'
import { obtain, readObtained } from '../lib/steps/tls/lets-encrypt.ts'
import { readCa } from '../lib/steps/tls/own-certificate.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles } from '../lib/system/managed-files.ts'

export type Serving = {
  nginx: Applied
  served: InstalledPair
  /** Why it is not the one that was asked for. */
  notes: string[]
}

/** Starts nginx, which answers the ACME server's challenge, and lets it serve, and the page tell, what has come of that. */
export async function serveCertificate(host: Host, plan: Plan): Promise<Serving> {
  const { order, endpoints, cacheSharing } = plan
  const nginx = await applyService(host, services.nginx)
  const clock = await readClock(host)
  const notes = await obtain(host, order, clock)
  for (const note of notes) host.log.warn(note)

  const served = readObtained(host, order, clock) ?? readPairInUse(host)
  const changes = await applyFiles(host, [
    ...inUseFiles(served),
    landingPage({
      endpoints: verifiableEndpoints(served, endpoints),
      capacity: describedCapacity(plan),
      cacheSharing,
      tls: tlsSummary(served, readCa(host)),
    }),
  ])
  if (changes.every(({ outcome }) => outcome === 'unchanged')) return { nginx, served, notes }
  return { nginx: await applyService(host, services.nginx), served, notes }
}
