/** Counts the requests since the last run, for the metrics. */
import { type Counters, counted, noCounts } from '../../appliance/metrics/counters.ts'
import { paths } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import { isOwn, type LoggedRequest, parseRequest } from '../../appliance/usage/requests.ts'
import type { Host } from '../../system/host.ts'
import { linesAfter } from '../../system/rotated-logs.ts'
import { readState, writeState } from '../../system/state-files.ts'
import { clockAt } from '../../system/uptime.ts'

/** Whether a request has been logged since boot, or a few seconds before, so that none is missed. */
function isSinceBoot(host: Host): (request: LoggedRequest) => boolean {
  const [from, now] = [clockAt(host, -2).getTime(), host.now().getTime()]
  return ({ at }) => from <= at && at <= now
}

/**
 * The counters since boot, with what has been logged since the last run. Remembers how far the log has been
 * counted.
 */
export function countRequests(host: Host): Counters {
  const before = readState(host, stateFiles.counters) ?? noCounts()
  const { lines, position } = linesAfter(host, paths.accessLog, before.position)
  const isNew = before.position === undefined ? isSinceBoot(host) : () => true
  const requests = lines
    .map(parseRequest)
    .filter(request => request !== undefined)
    .filter(request => isNew(request) && !isOwn(request))
  const after: Counters = { ...counted(before, requests), position }
  writeState(host, stateFiles.counters, after)
  return after
}
