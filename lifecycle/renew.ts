/** Run daily by a timer: renews the VM's own certificate if it expires soon, without a reboot. */

import { services } from '../lib/appliance/services/services.ts'
import { knownCopilots } from '../lib/steps/fleet/known.ts'
import { readPlan } from '../lib/steps/plan.ts'
import { applyService } from '../lib/steps/services/services.ts'
import { landingPageFor } from '../lib/steps/tls/client-view.ts'
import { readClock } from '../lib/steps/tls/clock.ts'
import { readTlsFacts, wantedOnDisk } from '../lib/steps/tls/facts.ts'
import { pairInUseFiles, prepareTls, tlsFiles } from '../lib/steps/tls/tls.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles, outcomeOf } from '../lib/system/managed-files.ts'

/** Renews the VM's own certificate for its existing names, and makes nginx use it. Most days there is nothing to do. */
export async function renew(host: Host): Promise<void> {
  const plan = readPlan(host)
  const facts = await readTlsFacts(host, await readClock(host), wantedOnDisk(host, plan.order))
  const tls = await prepareTls(facts)
  const files = [...tlsFiles(host, tls), landingPageFor(plan, tls, knownCopilots(host))]
  if (files.every(file => outcomeOf(host, file) === 'unchanged')) {
    host.log.info('There is nothing to renew.')
    return
  }

  for (const note of tls.notes) host.log.warn(note)
  await applyFiles(host, pairInUseFiles(tls))
  await applyService(host, services.nginx)
  // Includes the link to the VM's own pair: if killed before this, the next run finds the old pair and starts
  // over.
  await applyFiles(host, files)
}
