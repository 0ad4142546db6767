/** Run by a timer: checks whether the services answer, and kills one that has hung, so that systemd restarts it. */
import { paths, units } from '../lib/appliance/paths.ts'
import { expiredText, notRunningText } from '../lib/appliance/services/availability.ts'
import { loadTimeout } from '../lib/appliance/services/restarts.ts'
import {
  type History,
  type Judgement,
  judge,
  limits,
  type Observation,
  type WatchdogLimits,
} from '../lib/appliance/services/watchdog.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import { isRouter, routerProblem } from '../lib/steps/fleet/router.ts'
import { readRestarts, recordLoaded, recordRestarts } from '../lib/steps/llama/restarts.ts'
import { isStageAtWork } from '../lib/steps/one-at-a-time.ts'
import { readUnavailable, setAvailable, setUnavailable } from '../lib/steps/services/availability.ts'
import {
  generatesToken,
  kill,
  observe,
  recordHealth,
  type WatchedService,
  watched,
  watchedCompanions,
  watchedOnRouter,
} from '../lib/steps/services/watchdog.ts'
import { isOnlyClockWrong } from '../lib/steps/tls/clock.ts'
import { readCertificateInUse } from '../lib/steps/tls/installed-pairs.ts'
import type { Host } from '../lib/system/host.ts'
import { readState, writeState } from '../lib/system/state-files.ts'
import { unitStatus } from '../lib/system/systemd.ts'
import { uptime } from '../lib/system/uptime.ts'
import { parsedCertificate } from '../lib/system/x509.ts'

/** Checks each service once. Does nothing while a stage runs: stages restart services and wait for them themselves. */
export async function watchdog(host: Host): Promise<void> {
  if (await isStageAtWork(host)) return
  if (isRouter(host)) return watchRouter(host)
  const round = beginRound(host, loadTimeout(modelSize(host)))
  const stopped: string[] = []
  let isHealthy = true
  let isLoaded = false
  for (const service of Object.values(watched)) {
    const { unit } = service
    const judged = await judgeNow(host, service, round)
    if (judged === undefined) {
      stopped.push(unit)
      continue
    }
    const { seen, judgement } = judged
    isHealthy &&= judgement.verdict === 'healthy'
    isLoaded ||= unit === units.llama && seen.reply === 'answer'
    await act(host, unit, seen, judgement)
    // If llama-server does not answer, the proxies in front of it cannot be judged.
    if (unit === units.llama && judgement.verdict !== 'healthy' && seen.reply === 'silence') break
  }
  // Chat is served without them: whether they are healthy does not count.
  await killHung(host, watchedCompanions, round)
  writeState(host, stateFiles.watchdog, round.histories)
  if (isLoaded) recordLoaded(host)
  const problem = await problemBeside(host, stopped)
  noteAvailability(host, isLoaded, problem)
  recordHealth(host, isHealthy && problem === undefined)
}

/** On a router, which is healthy even while no copilot is ready. */
async function watchRouter(host: Host): Promise<void> {
  const round = beginRound(host, 0)
  await killHung(host, watchedOnRouter, round)
  writeState(host, stateFiles.watchdog, round.histories)
  const stopped = (await unitStatus(host, units.nginx)).isRunning ? [] : [units.nginx]
  const problem = (await problemBeside(host, stopped)) ?? (await routerProblem(host))
  noteAvailability(host, problem === undefined, problem)
  recordHealth(host, problem === undefined)
}

/** One run of the watchdog: the histories, by unit, that the run before has left, and those that this one leaves. */
type Round = { before: Record<string, History>; histories: Record<string, History>; bounds: WatchdogLimits }

/** `loading`: seconds that loading the model may take. */
const beginRound = (host: Host, loading: number): Round => ({
  before: readState(host, stateFiles.watchdog) ?? {},
  histories: {},
  bounds: { ...limits, loading },
})

/** Undefined if the service does not run. */
async function judgeNow(
  host: Host,
  service: WatchedService,
  { before, histories, bounds }: Round,
): Promise<{ seen: Observation; judgement: Judgement } | undefined> {
  const seen = await observe(host, service)
  const judgement = judge(before[service.unit], seen, bounds, Math.round(uptime(host) * 1000))
  if (judgement === undefined) return undefined
  histories[service.unit] = judgement.history
  return { seen, judgement }
}

/**
 * Kills those that have hung. Waiting requests are no sign of that: they may wait for a batch or, on a router, a
 * copilot.
 */
async function killHung(host: Host, services: WatchedService[], round: Round): Promise<void> {
  for (const service of services) {
    const judged = await judgeNow(host, service, round)
    if (judged?.judgement.verdict === 'hung') await act(host, service.unit, judged.seen, judged.judgement)
  }
}

/** Why clients are not served although llama-server may answer. Its own unit sets a more specific reason. */
async function problemBeside(host: Host, stopped: string[]): Promise<string | undefined> {
  const proxy = stopped.find(unit => unit !== units.llama)
  if (proxy !== undefined) return notRunningText(proxy)
  const ends = parsedCertificate(host.files.read(paths.currentChain) ?? '')?.validToDate
  if (ends === undefined || host.now() < ends) return undefined
  return (await isOnlyClockWrong(host, readCertificateInUse(host))) ? undefined : expiredText(ends)
}

/** The reason for clients is replaced or removed in one step, since a unit watches it. */
function noteAvailability(host: Host, isLoaded: boolean, problem: string | undefined): void {
  if (!isLoaded && readUnavailable(host) !== undefined) return
  if (problem === undefined && isLoaded) setAvailable(host)
  if (problem !== undefined && problem !== readUnavailable(host)) setUnavailable(host, problem)
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

/** Bytes of the model being served; 0 if there is none. */
function modelSize(host: Host): number {
  const plan = readState(host, stateFiles.plan)
  return plan?.state === 'serving' ? plan.capacity.model.size : 0
}
