/** The certificate that nginx uses from boot on: an ACME server's if it issues one, else configure's choice. */

import type { Plan } from '../lib/appliance/plan.ts'
import { services } from '../lib/appliance/services/services.ts'
import { decideTls } from '../lib/appliance/tls/decision.ts'
import { knownCopilots } from '../lib/steps/fleet/known.ts'
import { type Applied, applyService } from '../lib/steps/services/services.ts'
import { landingPageFor } from '../lib/steps/tls/client-view.ts'
import { readClock } from '../lib/steps/tls/clock.ts'
import { readTlsFacts, wantedOnDisk } from '../lib/steps/tls/facts.ts'
import { requestIfDue } from '../lib/steps/tls/lets-encrypt.ts'
import { prepareTls, type Tls, tlsFiles } from '../lib/steps/tls/tls.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles } from '../lib/system/managed-files.ts'

export type CertificateInUse = {
  nginx: Applied
  tls: Tls
  /** Notes on TLS for the report, in addition to the plan's, such as why no certificate was issued. */
  notes: string[]
}

/** Starts nginx, which serves the ACME challenge, requests a certificate if one is due, and makes nginx use it. */
export async function useCertificate(host: Host, plan: Plan): Promise<CertificateInUse> {
  const nginx = await applyService(host, services.nginx)
  const facts = async () => readTlsFacts(host, await readClock(host), wantedOnDisk(host, plan.order))
  const problems = await requestIfDue(host, decideTls(await facts()).acme)

  const tls = await prepareTls(await facts())
  const notes = [...problems, ...tls.acmeNotes, ...tls.notes].filter(note => !plan.notes.includes(note))
  for (const note of notes) host.log.warn(note)
  const changes = await applyFiles(host, [
    ...tlsFiles(host, tls),
    landingPageFor(plan, tls, knownCopilots(host)),
  ])
  const isUnchanged = changes.every(({ outcome }) => outcome === 'unchanged')
  return { nginx: isUnchanged ? nginx : await applyService(host, services.nginx), tls, notes }
}
