/** Every boot and at context changes: services, model, smoke test, report. What fails here must not be READY. */
import { paths, ports, units } from '../lib/appliance/paths.ts'
import { parsePlan } from '../lib/appliance/plan.ts'
import { services } from '../lib/appliance/services.ts'
import { loginBanner, reportFile } from '../lib/render/report.ts'
import { readCa } from '../lib/steps/certificate.ts'
import { orderFetch } from '../lib/steps/fetch-progress.ts'
import { comparedMemory, measuredMemory } from '../lib/steps/memory-check.ts'
import { waitForModel } from '../lib/steps/model-loading.ts'
import { checkConfiguration } from '../lib/steps/nginx.ts'
import { passwordInForce } from '../lib/steps/password.ts'
import { summarize, trustIn, verifiable } from '../lib/steps/served-certificate.ts'
import { applyService, recordProven } from '../lib/steps/services.ts'
import { smokeTest } from '../lib/steps/smoke-test.ts'
import { speedOf } from '../lib/steps/speed.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles } from '../lib/system/managed-files.ts'
import { reloadUnits } from '../lib/system/systemd.ts'
import { serveCertificate } from './serving.ts'

/** Makes the services run on what configure has written, proves that they serve, and writes the report. */
export async function bootstrap(host: Host, reportPath: string): Promise<void> {
  const plan = parsePlan(host.files.read(paths.plan))
  const { capacity } = plan
  const ca = readCa(host)
  const key = passwordInForce(host)

  await checkConfiguration(host)
  await reloadUnits(host, [units.llama, units.gate, units.nginx])
  const llama = await applyService(host, services.llama)
  const gate = await applyService(host, services.gate)
  // While the model loads: what an ACME server takes its time for costs the boot nothing.
  const { nginx, served, notes } = await serveCertificate(host, plan)

  await waitForModel(host, llama.run.invocation)
  const endpoint = { url: `https://127.0.0.1:${ports.https}`, ...trustIn(served, ca), key }
  await smokeTest(endpoint, llama.isProven ? 'light' : 'full', host.log)
  const measured = await speedOf(host, llama.run.invocation)
  recordProven(host, [llama, gate, nginx])
  host.log.info(comparedMemory(capacity, await measuredMemory(host)).text)

  const report = {
    endpoints: verifiable(served, plan.endpoints),
    capacity,
    tls: summarize(served, ca),
    speed: measured.speed,
    remarks: [...plan.hardware, ...measured.notes],
    notes: [...capacity.notes, ...plan.notes, ...notes],
  }
  const states = [llama, gate, nginx].map(({ service }) => ({
    unit: service.unit,
    state: 'active, enabled at boot',
  }))
  await applyFiles(host, [
    loginBanner(report),
    reportFile(reportPath, { ...report, password: key, services: states }),
  ])
  host.log.info(`Ready. Report: ${reportPath}`)
}

/** The stage: as above, and the model that is wanted besides, if any, is fetched from then on. */
export async function bootstrapAndFetch(host: Host, reportPath: string): Promise<void> {
  await bootstrap(host, reportPath)
  await orderFetch(host, parsePlan(host.files.read(paths.plan)).wanted !== undefined)
}
