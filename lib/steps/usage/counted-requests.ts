/** Counts the requests since the last run, for the metrics. */
import { type Counters, counted, noCounts } from '../../appliance/metrics/counters.ts'
import { paths } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import { isOwn, parseRequest } from '../../appliance/usage/requests.ts'
import type { Host } from '../../system/host.ts'
import { linesAfter } from '../../system/rotated-logs.ts'
import { readState, writeState } from '../../system/state-files.ts'

/** When the machine booted, in milliseconds since the epoch; a few seconds early, so that no request is missed. */
function bootTime(host: Host): number {
  const uptime = Number((host.files.read('/proc/uptime') ?? '0').split(' ')[0])
  return host.now().getTime() - (uptime + 2) * 1000
}

/**
 * The counters since boot, with what has been logged since the last run. Remembers how far the log has been
 * counted.
 */
export function countRequests(host: Host): Counters {
  const before = readState(host, stateFiles.counters) ?? noCounts()
  const { lines, position } = linesAfter(host, paths.accessLog, before.position)
  const since = before.position === undefined ? bootTime(host) : 0
  const requests = lines
    .map(parseRequest)
    .filter(request => request !== undefined)
    .filter(request => request.at >= since && !isOwn(request))
  const after: Counters = { ...counted(before, requests), position }
  writeState(host, stateFiles.counters, after)
  return after
}
