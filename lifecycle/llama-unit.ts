/** What llama-server's unit calls before each start and after each end: the pause between them, and what clients are told. */
import { setTimeout } from 'node:timers/promises'
import { units } from '../lib/appliance/paths.ts'
import { hasFailed, isLoadingAgain, isRestarting, isStopped } from '../lib/appliance/services/availability.ts'
import {
  afterFailure,
  attemptsToLoad,
  causeOf,
  longestPause,
  noRestarts,
} from '../lib/appliance/services/restarts.ts'
import { hasServed, readRestarts, recordRestarts } from '../lib/steps/llama/restarts.ts'
import { setAvailable, setUnavailable } from '../lib/steps/services/availability.ts'
import { recordHealth } from '../lib/steps/services/watchdog.ts'
import type { Host } from '../lib/system/host.ts'
import { isBeingStopped } from '../lib/system/systemd.ts'

/** Waits until it may start again, where it has just crashed. */
export async function llamaStarting(host: Host): Promise<void> {
  // That this run has loaded its model is for the watchdog to see.
  recordHealth(host, false)
  const { failures, next, endedAt, cause } = readRestarts(host)
  // A clock that is set back must not make a minute an hour.
  const pause = Math.min(next - host.now().getTime(), longestPause * 1000)
  if (failures > 0 && pause > 0) await setTimeout(pause)
  if (failures > 0) setUnavailable(host, isLoadingAgain(cause, endedAt))
  else setAvailable(host)
}

/** Decides when it starts again, or that it does not, where nobody has asked for its end. */
export async function llamaEnded(host: Host): Promise<void> {
  const now = host.now().getTime()
  if (await isBeingStopped(host, units.llama)) {
    recordRestarts(host, noRestarts)
    setUnavailable(host, isStopped(now))
    return
  }
  const before = readRestarts(host)
  const { SERVICE_RESULT: result, EXIT_CODE: exitCode, EXIT_STATUS: exitStatus } = host.env
  const cause = before.endedFor ?? causeOf({ result, exitCode, exitStatus })
  const { restarts, isGivenUp } = afterFailure(before, { cause, now, hasServed: hasServed(host) })
  recordRestarts(host, restarts)
  const reason = isGivenUp ? hasFailed(cause, attemptsToLoad) : isRestarting(cause, now, restarts.next)
  setUnavailable(host, reason)
  host.log[isGivenUp ? 'error' : 'warn'](reason)
  // Without this systemd would start it again (systemd.service(5), Restart=).
  if (isGivenUp) await host.$`systemctl stop --no-block ${units.llama}`
}
