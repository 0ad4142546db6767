/** Every day, by a timer: issues another certificate where the VM's own ends soon, though nobody boots. */

import { services } from '../lib/appliance/services/services.ts'
import { readPlan } from '../lib/steps/plan.ts'
import { applyService } from '../lib/steps/services/services.ts'
import { landingPageFor } from '../lib/steps/tls/client-view.ts'
import { readClock } from '../lib/steps/tls/clock.ts'
import { readTlsFacts, wantedOnDisk } from '../lib/steps/tls/facts.ts'
import { pairInUseFiles, prepareTls, tlsFiles } from '../lib/steps/tls/tls.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles, outcomeOf } from '../lib/system/managed-files.ts'

/** Renews the VM's own certificate for the names that it has, and has nginx use it. Most days there is nothing to do. */
export async function renew(host: Host): Promise<void> {
  const plan = readPlan(host)
  const facts = await readTlsFacts(host, await readClock(host), wantedOnDisk(host, plan.order))
  const tls = await prepareTls(facts)
  const files = [...tlsFiles(host, tls), landingPageFor(plan, tls)]
  if (files.every(file => outcomeOf(host, file) === 'unchanged')) return

  for (const note of tls.notes) host.log.warn(note)
  await applyFiles(host, pairInUseFiles(tls))
  await applyService(host, services.nginx)
  // With the link by which the pair is found: killed before, the next day's run finds the old pair, and goes on.
  await applyFiles(host, files)
}
