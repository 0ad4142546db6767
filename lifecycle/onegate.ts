/** OneGate's record of this VM follows what the appliance serves: stages call this, and units of its own between them. */
import { attributesOf } from '../lib/appliance/onegate.ts'
import { healthUrl, paths } from '../lib/appliance/paths.ts'
import type { Plan } from '../lib/appliance/plan.ts'
import { oneAtATime } from '../lib/steps/one-at-a-time.ts'
import * as oneGate from '../lib/steps/onegate.ts'
import { readUnavailable } from '../lib/steps/services/availability.ts'
import { clientView } from '../lib/steps/tls/client-view.ts'
import type { Tls } from '../lib/steps/tls/tls.ts'
import type { Host } from '../lib/system/host.ts'
import { respondsOk } from '../lib/system/http.ts'
import packageFile from '../package.json' with { type: 'json' }
import { parseEnvironment } from './environment.ts'

const contextOf = (host: Host) => parseEnvironment(host.files.read(paths.contextFile) ?? '')

/** Before anything changes: the appliance is not ready until bootstrap has succeeded. */
export const clearOneGate = (host: Host): Promise<void> => oneGate.clear(host, contextOf(host))

/** After bootstrap: publishes what is served, if anything is. */
export async function publishAtOneGate(host: Host, plan: Plan, { inUse, ca }: Tls): Promise<void> {
  if (plan.state !== 'serving') return
  const { endpoints, tls } = clientView(inUse, ca.pair, plan.endpoints)
  const { capacity } = plan
  const service = { endpoints, capacity, caFingerprint: tls.caFingerprint, version: packageFile.version }
  await oneGate.publish(host, contextOf(host), attributesOf(service))
}

/** Run by a unit when the appliance becomes available or unavailable, and when the VM shuts down. */
export async function updateOneGate(host: Host, isShuttingDown: boolean): Promise<void> {
  // A stage at work publishes when it is done. It must not wait for OneGate because of this.
  if (!isShuttingDown) await oneAtATime(host, async () => {})
  const { attributes, isShown } = oneGate.readPublication(host) ?? {}
  if (attributes === undefined) return
  const isServing = !isShuttingDown && (await serves(host))
  if (!isServing && isShown !== false) await oneGate.withdraw(host, contextOf(host))
  // The watchdog has found all services healthy, not only llama-server.
  if (isServing && isShown !== true && host.files.status(paths.healthy) !== undefined)
    await oneGate.publish(host, contextOf(host), attributes)
}

/** Whether no reason is known why clients are not served, and the model is loaded. */
const serves = async (host: Host) =>
  readUnavailable(host) === undefined && (await respondsOk(host, healthUrl, host.files.at(paths.socket)))
