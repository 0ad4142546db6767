/** What serves, what is wanted, how far a fetch is: asked of the machine, changing nothing. */
import { ports, units } from '../lib/appliance/paths.ts'
import { statusText } from '../lib/render/status.ts'
import { readCa } from '../lib/steps/certificate.ts'
import { readProgress } from '../lib/steps/fetch-progress.ts'
import { readPlan } from '../lib/steps/plan.ts'
import { readServed, trustIn, verifiable } from '../lib/steps/served-certificate.ts'
import type { Host } from '../lib/system/host.ts'
import { type UnitStatus, unitStatus } from '../lib/system/systemd.ts'

const stateOf = ({ isActive, isEnabled, startedAt }: UnitStatus) =>
  isActive
    ? `active since ${startedAt?.toISOString().slice(0, 19)}Z${isEnabled ? '' : ', not enabled at boot'}`
    : 'not active'

/** Whether nginx, and llama-server behind it, answer as clients ask. */
async function isAnswering(host: Host): Promise<boolean> {
  try {
    const url = `https://127.0.0.1:${ports.https}/health`
    return (await host.http({ url, ...trustIn(readServed(host), readCa(host)), timeout: 10 })).status === 200
  } catch {
    // Nobody listens, or not with the certificate that should be served: it does not serve.
    return false
  }
}

/** The screen, and whether the appliance serves. Throws when configure has never run, or may not be read. */
export async function status(host: Host): Promise<{ text: string; serves: boolean }> {
  if (process.getuid?.() !== 0) throw new Error('the plan is for root to read: sudo slm-copilot status')
  const { capacity, endpoints, notes, wanted } = readPlan(host)
  const serves = await isAnswering(host)
  const services: { unit: string; state: string }[] = []
  for (const unit of [units.llama, units.gate, units.nginx])
    services.push({ unit, state: stateOf(await unitStatus(host, unit)) })
  const text = statusText({
    serves,
    endpoints: verifiable(readServed(host), endpoints),
    services,
    model: capacity.model.name,
    wanted: wanted?.model.name,
    progress: readProgress(host)?.replace(/\s+/g, ' ').trim(),
    notes: [...capacity.notes, ...notes],
  })
  return { text, serves }
}
