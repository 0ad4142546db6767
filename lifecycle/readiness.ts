/** READY, OneGate's attributes and the message of the day: the stages change them, and between the stages a unit. */
import { createHash } from 'node:crypto'
import { attributesOf } from '../lib/appliance/onegate.ts'
import { paths } from '../lib/appliance/paths.ts'
import { installedServices, type Plan } from '../lib/appliance/plan.ts'
import type { Readiness } from '../lib/appliance/readiness.ts'
import { drainingText } from '../lib/appliance/services/drain.ts'
import { isRouter, routerProblem } from '../lib/steps/fleet/router.ts'
import { showInMessage } from '../lib/steps/message-of-the-day.ts'
import { oneAtATime } from '../lib/steps/one-at-a-time.ts'
import * as oneGate from '../lib/steps/onegate.ts'
import { readUnavailable } from '../lib/steps/services/availability.ts'
import { healthProblem } from '../lib/steps/services/check.ts'
import { drainingSince } from '../lib/steps/services/drain.ts'
import { readCa } from '../lib/steps/tls/certificates.ts'
import { clientView, ownTrust, trustFor } from '../lib/steps/tls/client-view.ts'
import { readPairInUse } from '../lib/steps/tls/installed-pairs.ts'
import type { Tls } from '../lib/steps/tls/tls.ts'
import type { Host } from '../lib/system/host.ts'
import { uptime } from '../lib/system/uptime.ts'
import packageFile from '../package.json' with { type: 'json' }
import { readContext } from './environment.ts'

/** Before anything changes: the appliance is not ready until bootstrap has succeeded. */
export const clearReadiness = (host: Host): Promise<void> => oneGate.clear(host, readContext(host))

/** After bootstrap: publishes what is served, if anything is. */
export async function publishReadiness(host: Host, plan: Plan, { inUse, ca }: Tls): Promise<void> {
  if (!('capacity' in plan)) return
  const { endpoints, tls } = clientView(inUse, ca.pair, plan.endpoints)
  const capacity = plan.state === 'serving' ? plan.capacity : undefined
  const trusted = tls.isPublic ? '' : trustFor(inUse, ca.pair).ca
  const { caFingerprint } = tls
  const services = installedServices(plan)
  const { version } = packageFile
  const service = { endpoints, capacity, services, caFingerprint, ca: trusted, version }
  const publish = drainingSince(host) === undefined ? oneGate.publish : oneGate.publishDraining
  await publish(host, readContext(host), attributesOf(service))
}

/** `draining` and `stopping` are published even while a stage is running. */
export type Phase = 'running' | 'draining' | 'stopping'

/** Run by a unit when the appliance becomes available or unavailable, and when the VM is drained or shuts down. */
export async function updateReadiness(host: Host, phase: Phase): Promise<void> {
  // A stage at work publishes when it is done. It must not wait for OneGate because of this.
  if (phase === 'running' && host.files.status(paths.lock) !== undefined)
    await oneAtATime(host, async () => {})
  const readiness = await readinessOf(host, phase)
  if (readiness === undefined) return
  const isWritten = writeMessage(host, readiness)
  const message = host.files.read(paths.messageOfTheDay)
  const oneGateDue = await updateOneGate(host, readiness)
  recordShown(host, readiness, message, isWritten ? oneGateDue : uptime(host) + messageRetry)
}

/** Undefined until the watchdog has found all services healthy, not only those that this looks at. */
async function readinessOf(host: Host, phase: Phase): Promise<Readiness | undefined> {
  const since = drainingSince(host)
  if (phase !== 'stopping' && since !== undefined) return { state: 'draining', reason: drainingText(since) }
  const reason = phase === 'stopping' ? 'the VM is shutting down.' : await servingProblem(host)
  if (reason !== undefined) return { state: 'unavailable', reason }
  if (host.files.status(paths.healthy) === undefined) return undefined
  return { state: oneGate.readPublication(host)?.attributes === undefined ? 'serving' : 'ready' }
}

/** Why clients are not served: the recorded reason, otherwise the outcome of a client's request for `/health`. */
async function servingProblem(host: Host): Promise<string | undefined> {
  const recorded = readUnavailable(host)
  if (recorded !== undefined) return recorded
  if (isRouter(host)) return routerProblem(host)
  try {
    return await healthProblem(host, await ownTrust(host, readPairInUse(host), readCa(host)))
  } catch (error) {
    return (error as Error).message
  }
}

/** Seconds until the next attempt, if the message cannot be written: the log states each. */
const messageRetry = 600

/** A failure, such as a full disk, must not keep OneGate from being updated. */
function writeMessage(host: Host, readiness: Readiness): boolean {
  try {
    showInMessage(host, readiness)
    return true
  } catch (error) {
    host.log.warn((error as Error).message)
    return false
  }
}

/**
 * Publishes or withdraws what bootstrap has published. If that fails, returns when to try again: seconds since
 * boot.
 */
async function updateOneGate(host: Host, { state }: Readiness): Promise<number | undefined> {
  const { attributes, shown } = oneGate.readPublication(host) ?? {}
  if (attributes === undefined) return undefined
  if (state === 'unavailable' && shown !== 'nothing') await oneGate.withdraw(host, readContext(host))
  if (state === 'draining' && shown !== 'draining')
    await oneGate.publishDraining(host, readContext(host), attributes)
  if (state === 'ready' && shown !== 'all') await oneGate.publish(host, readContext(host), attributes)
  return oneGate.readPublication(host)?.retryAt
}

/**
 * For the watchdog's quick check, which starts this unit again once that is no longer true, a retry is due, or the
 * message is not the one that was written: at the end of a stage the framework writes its own.
 */
function recordShown(
  host: Host,
  { state }: Readiness,
  message: string | undefined,
  retryAt: number | undefined,
): void {
  const shown = state === 'ready' ? 'serving' : state
  const digest = message === undefined ? 'none' : createHash('sha256').update(message).digest('hex')
  const due = retryAt === undefined ? '' : Math.ceil(retryAt)
  host.files.replace(paths.readiness, `${shown} ${digest} ${due}\n`, 0o644)
}
