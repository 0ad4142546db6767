/** At every boot and context change: services, model, smoke test, report. If it fails, the VM must not become READY. */

import { modelServices, paths, ports, units } from '../lib/appliance/paths.ts'
import {
  type IdlePlan,
  type Plan,
  pendingCompanions,
  pendingOf,
  type RoutingPlan,
  unavailability,
} from '../lib/appliance/plan.ts'
import { companionKinds } from '../lib/appliance/requests/services.ts'
import { noModelText } from '../lib/appliance/services/availability.ts'
import { drainingText } from '../lib/appliance/services/drain.ts'
import { services } from '../lib/appliance/services/services.ts'
import {
  applyTimer,
  checkRouterConfiguration,
  fleetProblem,
  lookUpCopilots,
  routerProblem,
} from '../lib/steps/fleet/router.ts'
import { announceRestart, reportInterruption } from '../lib/steps/llama/interruption.ts'
import { comparedMemory, measuredMemory } from '../lib/steps/llama/memory-check.ts'
import { waitForModel } from '../lib/steps/llama/model-loading.ts'
import { recordLoaded } from '../lib/steps/llama/restarts.ts'
import { speedOf } from '../lib/steps/llama/speed.ts'
import { orderFetch } from '../lib/steps/models/fetch-progress.ts'
import { unreadModel } from '../lib/steps/models/own-models.ts'
import { passwordInForce } from '../lib/steps/password.ts'
import { readPlan } from '../lib/steps/plan.ts'
import { setAvailable, setUnavailable } from '../lib/steps/services/availability.ts'
import { serviceProblem } from '../lib/steps/services/check.ts'
import {
  type StartedCompanions,
  startCompanions,
  verifyCompanions,
} from '../lib/steps/services/companions.ts'
import { drainingSince } from '../lib/steps/services/drain.ts'
import { applyFloatingIp } from '../lib/steps/services/floating-ip.ts'
import { checkConfiguration } from '../lib/steps/services/nginx.ts'
import { applySecurityUpdates } from '../lib/steps/services/security-updates.ts'
import { type Applied, applyService, recordProven } from '../lib/steps/services/services.ts'
import { recordedSmokeTest } from '../lib/steps/services/smoke-test-record.ts'
import { applySyslog } from '../lib/steps/services/syslog.ts'
import { ownTrust } from '../lib/steps/tls/client-view.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles } from '../lib/system/managed-files.ts'
import { disableUnit, reloadUnits } from '../lib/system/systemd.ts'
import { publishReadiness } from './readiness.ts'
import { type Measured, reportFiles } from './report.ts'
import { type CertificateInUse, useCertificate } from './use-certificate.ts'

const companionUnitNames = companionKinds.map(kind => modelServices[kind].unit)

/** Makes the services run with what configure has written, verifies that they serve, and writes the report. */
export async function bootstrap(host: Host, reportPath: string): Promise<void> {
  const plan = readPlan(host)
  await checkConfiguration(host)
  if (plan.state === 'routing') await checkRouterConfiguration(host)
  await reloadUnits(host, [
    units.llama,
    units.admission,
    units.router,
    units.backends,
    units.floatingIp,
    units.nginx,
    units.clock,
    units.syslog,
    ...companionUnitNames,
  ])
  const sideNotes = [
    ...(await applyClock(host)),
    ...(await applySyslog(host)),
    ...(await applyFloatingIp(host)),
  ]
  await applySecurityUpdates(host)
  // Started at boot; after an upgrade from a version without it, only by this.
  await host.$`systemctl start --no-block ${units.drain}`
  const started = await startServices(host, plan)
  await host.perform(`run the smoke test, and write ${paths.banner} and ${reportPath}`, async () => {
    const measured = await verifyServices(host, plan, started)
    const companions = await verifyCompanions(host, started.companions)
    recordProven(host, [...started.applied, ...companions.applied])
    const notes = [...sideNotes, ...started.notes, ...companions.notes]
    await applyFiles(host, reportFiles(host, plan, { ...started, ...measured, notes }, reportPath))
    await publishReadiness(host, plan, started.tls)
    host.log.info(`${'capacity' in plan ? 'Ready. ' : ''}Report: ${reportPath}`)
  })
}

/** Makes chronyd use the configured time sources. The appliance serves even if that fails. */
async function applyClock(host: Host): Promise<string[]> {
  try {
    await applyService(host, services.clock)
    return []
  } catch (error) {
    const [first = ''] = (error as Error).message.split('\n')
    const note = `This machine's clock is not synchronised: ${first.replace(/:$/, '.')} See: journalctl -u ${units.clock}`
    host.log.warn(note)
    return [note]
  }
}

type Started = CertificateInUse & {
  /** Undefined if the plan has no model to serve. */
  llama: Applied | undefined
  applied: Applied[]
  companions: StartedCompanions
  /** When llama-server was stopped for a restart, by `performance.now()`. */
  interruptedAt: number | undefined
}

/** Starts, restarts or reloads each service as its inputs require. */
async function startServices(host: Host, plan: Plan): Promise<Started> {
  let interruptedAt: number | undefined
  const announce = async () => {
    await announceRestart(host)
    interruptedAt = performance.now()
  }
  if (plan.state !== 'routing') await applyTimer(host, plan)
  const llama =
    plan.state === 'serving'
      ? await applyService(host, services.llama, announce)
      : await stopLlama(host, plan)
  if (plan.state === 'routing') await disableUnit(host, units.admission)
  const upstream = await applyService(host, plan.state === 'routing' ? services.router : services.admission)
  const companions = await startCompanions(host, plan.companions)
  // While the models load, so that a slow ACME server does not delay the boot.
  const certificate = await useCertificate(host, plan)
  return {
    ...certificate,
    llama,
    companions,
    interruptedAt,
    applied: [...(llama ? [llama] : []), upstream, certificate.nginx],
  }
}

/** Stops llama-server when there is no model to serve yet; the edge proxy keeps running and tells clients why. */
async function stopLlama(host: Host, plan: IdlePlan | RoutingPlan): Promise<undefined> {
  await disableUnit(host, units.llama)
  if (plan.state === 'routing') setAvailable(host)
  else setUnavailable(host, noModelText(unavailability(plan)))
}

/** Waits for the model, runs the smoke test, and measures the speed. Throws if clients are not served. */
async function verifyServices(
  host: Host,
  plan: Plan,
  { llama, tls, interruptedAt }: Started,
): Promise<Measured> {
  if (plan.state === 'routing') return verifyRouter(host, plan)
  if (plan.state !== 'serving' || llama === undefined) return { remarks: [] }
  const draining = drainingSince(host)
  if (draining !== undefined)
    throw new Error(
      `${drainingText(draining)} So the services were not tested. Fix: slm-copilot drain --undo, then: slm-copilot bootstrap`,
    )
  await waitForModel(host, llama.run.invocation, plan.capacity.model.size)
  if (interruptedAt !== undefined) reportInterruption(host, interruptedAt)
  recordLoaded(host)
  setAvailable(host)

  const trust = await ownTrust(host, tls.inUse, tls.ca.pair)
  const endpoint = { url: `https://127.0.0.1:${ports.https}`, ...trust, key: passwordInForce(host) }
  await recordedSmokeTest(host, endpoint, llama.isProven ? 'light' : 'full')
  const problem = await serviceProblem(host, endpoint)
  if (problem !== undefined) throw new Error(`Clients are not served: ${problem}`)

  const { speed, notes } = await speedOf(host, llama.run.invocation)
  const memory = comparedMemory(plan.capacity, await measuredMemory(host))
  host.log[memory.isWithin ? 'info' : 'warn'](memory.text)
  return { speed, remarks: notes }
}

/** A router is ready before its first copilot is, so that the VMs of a fleet may boot in any order. */
async function verifyRouter(host: Host, plan: RoutingPlan): Promise<Measured> {
  await applyTimer(host, plan)
  const remarks = await lookUpCopilots(host)
  const problem = await routerProblem(host)
  if (problem !== undefined) throw new Error(`Clients are not served: ${problem}`)
  const missing = await fleetProblem(host)
  if (missing !== undefined) remarks.push(`${missing} Requests are passed on as soon as one is.`)
  for (const remark of remarks) host.log.warn(remark)
  return { remarks }
}

/** The stage: `bootstrap`, then the start of fetching pending models, if any. Throws if no model serves. */
export async function bootstrapAndFetch(host: Host, reportPath: string): Promise<void> {
  await bootstrap(host, reportPath)
  const plan = readPlan(host)
  await fetchPending(host)
  if (plan.state === 'waiting') throw new Error(`${plan.reason} To see the progress: slm-copilot status`)
  if (plan.state === 'unavailable') throw new Error(unavailability(plan))
}

/** Starts the units that fetch the plan's pending models, or stops them if there are none. */
export async function fetchPending(host: Host): Promise<void> {
  const plan = readPlan(host)
  await orderFetch(host, 'companions', pendingCompanions(plan).length > 0)
  await orderFetch(host, 'model', pendingOf(plan) !== undefined || unreadModel(host)?.isRetried === true)
}
