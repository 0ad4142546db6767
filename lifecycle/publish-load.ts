/** Run by a timer, after the metrics: publishes at OneGate how busy this VM is, if that has changed. */
import { isDeepStrictEqual } from 'node:util'
import { loadOf, refusedForSlots } from '../lib/appliance/fleet/load.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import * as oneGate from '../lib/steps/onegate.ts'
import { companionRequests } from '../lib/steps/services/companions.ts'
import { runningRequests } from '../lib/steps/services/drain.ts'
import type { Host } from '../lib/system/host.ts'
import { readState } from '../lib/system/state-files.ts'
import { readContext } from './environment.ts'

/** Publishes only while OneGate shows what this VM serves: withdrawing that clears the load, too. */
export async function publishLoad(host: Host): Promise<void> {
  const plan = readState(host, stateFiles.plan)
  const { shown } = oneGate.readPublication(host) ?? {}
  if (plan?.state !== 'serving' || shown === undefined || shown === 'nothing') return
  const running = await runningRequests(host)
  if (running === undefined) return
  const before = oneGate.readPublishedLoad(host)
  const refused = refusedForSlots(readState(host, stateFiles.counters)?.requests ?? [])
  const chat = Math.max(0, running - (await companionRequests(host)))
  const load = loadOf({ running: chat, slots: plan.capacity.slots, refused }, before)
  if (isDeepStrictEqual(load.attributes, before?.attributes)) return
  await oneGate.publishLoad(host, readContext(host), load)
}
