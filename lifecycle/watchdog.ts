/** Run by a timer: checks whether the services answer, and kills one that has hung, so that systemd restarts it. */
import { units } from '../lib/appliance/paths.ts'
import { loadTimeout } from '../lib/appliance/services/restarts.ts'
import {
  type History,
  type Judgement,
  judge,
  limits,
  type Observation,
} from '../lib/appliance/services/watchdog.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import { readRestarts, recordLoaded, recordRestarts } from '../lib/steps/llama/restarts.ts'
import { isStageAtWork } from '../lib/steps/one-at-a-time.ts'
import { readUnavailable, setAvailable, setUnavailable } from '../lib/steps/services/availability.ts'
import { generatesToken, kill, observe, recordHealth, watched } from '../lib/steps/services/watchdog.ts'
import type { Host } from '../lib/system/host.ts'
import { readState, writeState } from '../lib/system/state-files.ts'
import { unitStatus } from '../lib/system/systemd.ts'

/** Checks each service once. Does nothing while a stage runs: stages restart services and wait for them themselves. */
export async function watchdog(host: Host): Promise<void> {
  if (await isStageAtWork(host)) return
  const before = readState(host, stateFiles.watchdog) ?? {}
  const bounds = { ...limits, loading: loadTimeout(modelSize(host)) }
  const histories: Record<string, History> = {}
  let isHealthy = true
  for (const service of Object.values(watched)) {
    const seen = await observe(host, service)
    const { unit } = service
    const judgement = judge(before[unit], seen, bounds, monotonicTime(host))
    if (judgement === undefined) {
      noteStopped(host, unit)
      continue
    }
    histories[unit] = judgement.history
    isHealthy &&= judgement.verdict === 'healthy'
    if (unit === units.llama && seen.reply === 'answer') noteLoaded(host)
    await act(host, unit, seen, judgement)
    // If llama-server does not answer, the proxies in front of it cannot be judged.
    if (unit === units.llama && judgement.verdict !== 'healthy' && seen.reply === 'silence') break
  }
  writeState(host, stateFiles.watchdog, histories)
  recordHealth(host, isHealthy)
}

/** Records that llama-server answers, and clears the reason why it did not. */
function noteLoaded(host: Host): void {
  recordLoaded(host)
  setAvailable(host)
}

/** Sets a reason for clients; llama-server's own unit sets a more specific one. */
function noteStopped(host: Host, unit: string): void {
  if (unit !== units.llama && readUnavailable(host) === undefined)
    setUnavailable(host, `${unit} is not running.`)
}

async function act(host: Host, unit: string, seen: Observation, judgement: Judgement): Promise<void> {
  const problem = await problemOf(host, judgement)
  if (problem === undefined) return
  // It may have been stopped or restarted since.
  const { isRunning, invocation } = await unitStatus(host, unit)
  if (!isRunning || invocation !== seen.invocation) return
  host.log.warn(`${unit} ${problem}: it is killed, and systemd restarts it.`)
  if (unit === units.llama) recordRestarts(host, { ...readRestarts(host), endedFor: problem })
  await kill(host, unit)
}

async function problemOf(host: Host, judgement: Judgement): Promise<string | undefined> {
  if (judgement.verdict === 'hung') return judgement.problem
  if (judgement.verdict !== 'ask for a token' || (await generatesToken(host))) return undefined
  return 'left requests waiting and generated no token'
}

/** Milliseconds since boot, unaffected by changes of the clock. */
const monotonicTime = (host: Host): number =>
  Math.round(Number((host.files.read('/proc/uptime') ?? '0').split(' ')[0]) * 1000)

/** Bytes of the model being served; 0 if there is none. */
function modelSize(host: Host): number {
  const plan = readState(host, stateFiles.plan)
  return plan?.state === 'serving' ? plan.capacity.model.size : 0
}
