/** Called by llama-server's unit before each start and after each end: restart delays, and the reason for clients. */
import { setTimeout } from 'node:timers/promises'
import { units } from '../lib/appliance/paths.ts'
import {
  failedText,
  loadingAgainText,
  restartingText,
  stoppedText,
} from '../lib/appliance/services/availability.ts'
import { afterFailure, attemptsToLoad, causeOf, noRestarts } from '../lib/appliance/services/restarts.ts'
import { shortageOf } from '../lib/appliance/sizing/shortage.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import { hasServed, readRestarts, recordRestarts } from '../lib/steps/llama/restarts.ts'
import { setAvailable, setUnavailable } from '../lib/steps/services/availability.ts'
import { recordHealth } from '../lib/steps/services/watchdog.ts'
import type { Host } from '../lib/system/host.ts'
import { readState, writeState } from '../lib/system/state-files.ts'
import { isBeingStopped } from '../lib/system/systemd.ts'
import { clockAt, uptime } from '../lib/system/uptime.ts'

/** After a crash, waits until llama-server may start again. */
export async function llamaStarting(host: Host): Promise<void> {
  // Makes the watchdog's next check a full one, which notices when this run has loaded its model.
  recordHealth(host, false)
  const { failures, next, endedAt, cause } = readRestarts(host)
  const pause = next - uptime(host)
  if (failures > 0 && pause > 0) await setTimeout(pause * 1000)
  if (failures > 0) setUnavailable(host, loadingAgainText(cause, clockAt(host, endedAt)))
  else setAvailable(host)
}

/** Decides whether and when llama-server starts again, unless it was stopped on purpose. */
export async function llamaEnded(host: Host): Promise<void> {
  if (await isBeingStopped(host, units.llama)) {
    recordRestarts(host, noRestarts)
    setUnavailable(host, stoppedText(host.now()))
    return
  }
  const before = readRestarts(host)
  const { SERVICE_RESULT: result, EXIT_CODE: exitCode, EXIT_STATUS: exitStatus } = host.env
  const cause = before.endedFor ?? causeOf({ result, exitCode, exitStatus })
  const now = uptime(host)
  const { restarts, isGivenUp } = afterFailure(before, { cause, now, hasServed: hasServed(host) })
  recordRestarts(host, restarts)
  const reason = isGivenUp
    ? failedText(cause, attemptsToLoad)
    : restartingText(cause, clockAt(host, now), clockAt(host, restarts.next))
  setUnavailable(host, reason)
  host.log[isGivenUp ? 'error' : 'warn'](reason)
  if (result === 'oom-kill') await planLess(host)
  // Otherwise systemd would restart it (systemd.service(5), Restart=).
  if (isGivenUp) await host.$`systemctl stop --no-block ${units.llama}`
}

/** Has the plan made again, with less memory: in the background, since the stages wait for this unit. */
async function planLess(host: Host): Promise<void> {
  const plan = readState(host, stateFiles.plan)
  if (plan?.state !== 'serving') return
  writeState(host, stateFiles.shortage, shortageOf(plan.capacity, host.facts().memory))
  host.log.warn('The plan is made again, with less memory for llama-server.')
  await host.$`systemctl start --no-block ${units.reconfigure}`
}
