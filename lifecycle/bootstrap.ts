/** Every boot and at context changes: services, model, smoke test, report. What fails here must not be READY. */

import { paths, ports, units } from '../lib/appliance/paths.ts'
import {
  describedCapacity,
  type IdlePlan,
  type Plan,
  pendingOf,
  planNotes,
  type ServingPlan,
  unavailability,
} from '../lib/appliance/plan.ts'
import { hasNoModel } from '../lib/appliance/services/availability.ts'
import { services } from '../lib/appliance/services/services.ts'
import type { Measurement } from '../lib/appliance/sizing/speed.ts'
import { loginBanner, reportFile } from '../lib/render/text/report.ts'
import { comparedMemory, measuredMemory } from '../lib/steps/llama/memory-check.ts'
import { waitForModel } from '../lib/steps/llama/model-loading.ts'
import { recordLoaded } from '../lib/steps/llama/restarts.ts'
import { speedOf } from '../lib/steps/llama/speed.ts'
import { orderFetch } from '../lib/steps/models/fetch-progress.ts'
import { passwordInForce } from '../lib/steps/password.ts'
import { readPlan } from '../lib/steps/plan.ts'
import { setAvailable, setUnavailable } from '../lib/steps/services/availability.ts'
import { serviceProblem } from '../lib/steps/services/check.ts'
import { checkConfiguration } from '../lib/steps/services/nginx.ts'
import { applyService, recordProven } from '../lib/steps/services/services.ts'
import { smokeTest } from '../lib/steps/services/smoke-test.ts'
import { clientView, trustFor } from '../lib/steps/tls/client-view.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles } from '../lib/system/managed-files.ts'
import { disableUnit, reloadUnits } from '../lib/system/systemd.ts'
import { type CertificateInUse, useCertificate } from './use-certificate.ts'

type Outcome = CertificateInUse & { serves: boolean; measured: Omit<Measurement, 'invocation'> }

/** Makes the services run on what configure has written, proves that they serve, and writes the report. */
export async function bootstrap(host: Host, reportPath: string): Promise<void> {
  const plan = readPlan(host)
  await checkConfiguration(host)
  await reloadUnits(host, [units.llama, units.admission, units.nginx, units.clock])
  const clockNotes = await keepTime(host)
  if (host.isDryRun) return foretell(host, plan, reportPath)
  const outcome = plan.state === 'serving' ? await serve(host, plan) : await serveEdgeAlone(host, plan)
  const notes = [...clockNotes, ...outcome.notes]
  await applyFiles(host, bannerAndReport(host, plan, { ...outcome, notes }, reportPath))
  host.log.info(`${outcome.serves ? 'Ready. ' : ''}Report: ${reportPath}`)
}

/** Has chronyd take its time from where configure says. An appliance whose clock nobody keeps serves all the same. */
async function keepTime(host: Host): Promise<string[]> {
  try {
    await applyService(host, services.clock)
    return []
  } catch (error) {
    const [first = ''] = (error as Error).message.split('\n')
    const note = `Nothing keeps this machine's clock: ${first.replace(/:$/, '.')} See: journalctl -u ${units.clock}`
    host.log.warn(note)
    return [note]
  }
}

/** What a dry run can tell: what follows depends on services that it has not started. */
async function foretell(host: Host, plan: Plan, reportPath: string): Promise<void> {
  if (plan.state === 'serving') await applyService(host, services.llama)
  else await disableUnit(host, units.llama)
  await applyService(host, services.admission)
  await useCertificate(host, plan)
  host.log.info(`Then the smoke test would be run, and ${paths.banner} and ${reportPath} written.`)
}

/** Everything runs, and answers as clients ask. */
async function serve(host: Host, plan: ServingPlan): Promise<Outcome> {
  const llama = await applyService(host, services.llama)
  const admission = await applyService(host, services.admission)
  // While the model loads: what an ACME server takes its time for costs the boot nothing.
  const certificate = await useCertificate(host, plan)

  await waitForModel(host, llama.run.invocation, plan.capacity.model.size)
  recordLoaded(host)
  setAvailable(host)
  const trust = trustFor(certificate.tls.inUse, certificate.tls.ca.pair)
  const endpoint = { url: `https://127.0.0.1:${ports.https}`, ...trust, key: passwordInForce(host) }
  await smokeTest(host, endpoint, llama.isProven ? 'light' : 'full')
  const problem = await serviceProblem(host, endpoint)
  if (problem !== undefined) throw new Error(`Clients are not served: ${problem}`)
  const measured = await speedOf(host, llama.run.invocation)
  recordProven(host, [llama, admission, certificate.nginx])

  const memory = comparedMemory(plan.capacity, await measuredMemory(host))
  host.log[memory.isWithin ? 'info' : 'warn'](memory.text)
  return { ...certificate, serves: true, measured }
}

/** The edge proxy alone, which tells clients to come again: the model has yet to come, and nothing else fits. */
async function serveEdgeAlone(host: Host, plan: IdlePlan): Promise<Outcome> {
  await disableUnit(host, units.llama)
  setUnavailable(host, hasNoModel(unavailability(plan)))
  const admission = await applyService(host, services.admission)
  const certificate = await useCertificate(host, plan)
  recordProven(host, [admission, certificate.nginx])
  return { ...certificate, serves: false, measured: { notes: [] } }
}

/** What the administrator reads. */
function bannerAndReport(host: Host, plan: Plan, outcome: Outcome, reportPath: string) {
  const { tls, notes, serves, measured } = outcome
  const running = 'active, enabled at boot'
  const report = {
    ...clientView(tls.inUse, tls.ca.pair, plan.endpoints),
    capacity: describedCapacity(plan),
    serves,
    speed: measured.speed,
    remarks: [...plan.hardware, ...measured.notes],
    notes: [...planNotes(plan), ...notes],
    password: passwordInForce(host),
    services: [
      { unit: units.llama, state: serves ? running : 'off: there is no model to serve' },
      { unit: units.admission, state: running },
      { unit: units.nginx, state: running },
    ],
  }
  return [loginBanner(report), reportFile(reportPath, report)]
}

/** The stage: as above, and a pending model, if any, is fetched from then on. Throws while nothing serves. */
export async function bootstrapAndFetch(host: Host, reportPath: string): Promise<void> {
  await bootstrap(host, reportPath)
  const plan = readPlan(host)
  await orderFetch(host, pendingOf(plan) !== undefined)
  if (plan.state === 'waiting') throw new Error(`${plan.reason} How far it is: slm-copilot status`)
  if (plan.state === 'unavailable') throw new Error(unavailability(plan))
}
