/** How often, and how many at once, one key may ask, and without a key one address: whatever it asks for. */
import {
  counters,
  largePerMinute,
  largeRate,
  openRate,
  plainRequests,
  requestRate,
  routedRate,
} from '../../appliance/nginx/limits.ts'
import type { Site } from './site.ts'

const rateFor = ({ role }: Pick<Site, 'role'>) => (role === 'router' ? routedRate : requestRate)

/** The zones, and the variables by which requests are counted in them. */
export const requestRateZones = (site: Pick<Site, 'role' | 'settings'>) => `\
# An empty key is not counted.
map $copilot_tenant $copilot_open_asker {
    default "";
    "" $copilot_client_network;
}
map "$copilot_tenant$copilot_open_asker" $copilot_plain_requests_key {
    default "$pid $copilot_tenant$copilot_open_asker";
}
# A body of unknown length counts as large.
map "$copilot_tenant:$request_method:$http_content_length" $copilot_large_asker {
    default "";
    "~^[^:]+:POST:(\\d{${counters.smallDigits + 1},})?\\z" $copilot_tenant;
}
limit_req_zone $copilot_tenant zone=copilot_requests:1m rate=${rateFor(site).perSecond}r/s;
limit_req_zone $copilot_open_asker zone=copilot_open_requests:8m rate=${openRate.perSecond}r/s;
limit_req_zone $copilot_large_asker zone=copilot_large_requests:1m rate=${largePerMinute(site.settings.bodyLimit)}r/m;
limit_conn_zone $copilot_plain_requests_key zone=copilot_plain_requests:8m;
# Without a key, an error that comes before requests are counted has no text over HTTP/2: there a client may take none of it,
# and so hold a connection.
map "$server_protocol:$copilot_tenant:$status" $copilot_error_text {
    default $copilot_error_body;
    "~^HTTP/2\\.0::4(?!01)" "";
}
`

const keyRate = (site: Pick<Site, 'role'>) => {
  const { burst, immediate } = rateFor(site)
  return `limit_req zone=copilot_requests burst=${burst} delay=${immediate};`
}

/** For requests with a body: large ones more slowly, but on a router, which has none of the work. */
export const bodyRateLimit = (site: Pick<Site, 'role'>) => `${keyRate(site)}${
  site.role === 'router'
    ? ''
    : `
        limit_req zone=copilot_large_requests burst=${largeRate.burst} delay=${largeRate.immediate};`
}
        limit_req_status 429;`

/**
 * For all others. 444 closes the connection, or over HTTP/2 resets the stream: another answer might not be taken either, and
 * would be work. On HTTP/1.1, a client must then open a new one, whose rate is limited.
 */
export const plainRequestLimits = (site: Pick<Site, 'role'>) => `${keyRate(site)}
    limit_req zone=copilot_open_requests burst=${openRate.burst} nodelay;
    limit_req_status 444;
    limit_conn copilot_plain_requests ${plainRequests};
    limit_conn_status 444;`
