/** Reads the request log, rotated files included: what `usage`, `status`, `doctor` and the metrics count. */
import { paths } from '../../appliance/paths.ts'
import { isOwn, type LoggedRequest, parseRequest } from '../../appliance/usage/requests.ts'
import type { Host } from '../../system/host.ts'
import { linesSince } from '../../system/rotated-logs.ts'

/**
 * The requests from then until now, without the appliance's own, many at a time: later ones were logged before the clock
 * was set back. Files that cannot be read are logged and skipped.
 */
export async function* requestsSince(host: Host, since: Date): AsyncGenerator<LoggedRequest[]> {
  const now = host.now().getTime()
  for await (const lines of linesSince(host, paths.accessLog, since, host.log.warn))
    yield lines
      .map(parseRequest)
      .filter(request => request !== undefined)
      .filter(request => since.getTime() <= request.at && request.at <= now && !isOwn(request))
}

const hour = 3_600_000

/** The requests of the last hour. */
export async function requestsOfLastHour(host: Host): Promise<LoggedRequest[]> {
  const requests: LoggedRequest[] = []
  for await (const some of requestsSince(host, new Date(host.now().getTime() - hour))) requests.push(...some)
  return requests
}
