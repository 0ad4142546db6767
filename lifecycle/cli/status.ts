/** `slm-copilot status`: what is being served, what is pending, and a download's progress. Changes nothing. */
import { units } from '../../lib/appliance/paths.ts'
import { pendingOf, planNotes } from '../../lib/appliance/plan.ts'
import { statusText } from '../../lib/render/text/status.ts'
import { readProgress } from '../../lib/steps/models/fetch-progress.ts'
import { passwordInForce } from '../../lib/steps/password.ts'
import { readPlan } from '../../lib/steps/plan.ts'
import { readUnavailable } from '../../lib/steps/services/availability.ts'
import { serviceProblem } from '../../lib/steps/services/check.ts'
import { readCa } from '../../lib/steps/tls/certificates.ts'
import { trustFor, verifiableEndpoints } from '../../lib/steps/tls/client-view.ts'
import { readPairInUse } from '../../lib/steps/tls/installed-pairs.ts'
import type { Host } from '../../lib/system/host.ts'
import { type UnitStatus, unitStatus } from '../../lib/system/systemd.ts'

const stateOf = ({ isActive, isEnabled, startedAt }: UnitStatus) =>
  isActive
    ? `active since ${startedAt?.toISOString().slice(0, 19)}Z${isEnabled ? '' : ', not enabled at boot'}`
    : 'not active'

/** Why nothing can be generated: the recorded reason, else a unit that is not running, else what a client would see. */
async function problemOf(host: Host, stopped: string | undefined): Promise<string | undefined> {
  const access = { ...trustFor(readPairInUse(host), readCa(host)), key: passwordInForce(host) }
  const problem = await serviceProblem(host, access)
  if (problem === undefined) return undefined
  return readUnavailable(host) ?? (stopped === undefined ? problem : `${stopped} is not running.`)
}

/** The output, and whether the appliance serves. Throws if configure has never run, or without root privileges. */
export async function status(host: Host): Promise<{ text: string; serves: boolean }> {
  if (process.getuid?.() !== 0) throw new Error('must be run as root.')
  const plan = readPlan(host)
  const services: { unit: string; status: UnitStatus }[] = []
  for (const unit of [units.llama, units.admission, units.nginx])
    services.push({ unit, status: await unitStatus(host, unit) })
  const stopped = services.find(({ status }) => !status.isActive)?.unit
  const problem = await problemOf(host, stopped)
  const text = statusText({
    problem,
    endpoints: verifiableEndpoints(readPairInUse(host), plan.endpoints),
    services: services.map(({ unit, status }) => ({ unit, state: stateOf(status) })),
    model: plan.state === 'serving' ? plan.capacity.model.name : undefined,
    pending: pendingOf(plan)?.model.name,
    progress: readProgress(host)?.replace(/\s+/g, ' ').trim(),
    notes: planNotes(plan),
  })
  return { text, serves: problem === undefined }
}
