/** Limits on the rate of requests of any kind, and on concurrent ones: of each key, and without a key of each address. */
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
map $copilot_tenant $copilot_keyless_client {
    default "";
    "" $copilot_client_network;
}
map "$copilot_tenant$copilot_keyless_client" $copilot_plain_requests_key {
    default "$pid $copilot_tenant$copilot_keyless_client";
}
# A body of unknown length counts as large.
map "$copilot_tenant:$request_method:$http_content_length" $copilot_large_request_tenant {
    default "";
    "~^[^:]+:POST:(\\d{${counters.smallDigits + 1},})?\\z" $copilot_tenant;
}
limit_req_zone $copilot_tenant zone=copilot_requests:1m rate=${rateFor(site).perSecond}r/s;
limit_req_zone $copilot_keyless_client zone=copilot_open_requests:8m rate=${openRate.perSecond}r/s;
limit_req_zone $copilot_large_request_tenant zone=copilot_large_requests:1m rate=${largePerMinute(site.settings.bodyLimit)}r/m;
limit_conn_zone $copilot_plain_requests_key zone=copilot_plain_requests:8m;
# Without a key, an error that comes before requests are counted has no text over HTTP/2: a client that does not read it
# would keep a connection busy.
map "$server_protocol:$copilot_tenant:$status" $copilot_error_text {
    default $copilot_error_body;
    "~^HTTP/2\\.0::4(?!01)" "";
}
`

const keyRate = (site: Pick<Site, 'role'>) => {
  const { burst, immediate } = rateFor(site)
  return `limit_req zone=copilot_requests burst=${burst} delay=${immediate};`
}

/** For requests with a body: a lower rate for large ones, except on a router, where they are no work. */
export const bodyRateLimit = (site: Pick<Site, 'role'>) => `${keyRate(site)}${
  site.role === 'router'
    ? ''
    : `
        limit_req zone=copilot_large_requests burst=${largeRate.burst} delay=${largeRate.immediate};`
}
        limit_req_status 429;`

/**
 * For all others. 444 closes the connection, or resets the stream over HTTP/2: a client might not read an error either, and
 * it would be work. Over HTTP/1.1 the client must then open a new connection, whose rate is limited.
 */
export const plainRequestLimits = (site: Pick<Site, 'role'>) => `${keyRate(site)}
    limit_req zone=copilot_open_requests burst=${openRate.burst} nodelay;
    limit_req_status 444;
    limit_conn copilot_plain_requests ${plainRequests};
    limit_conn_status 444;`
