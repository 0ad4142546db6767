/** Authentication: nginx maps from a request's credentials to its tenant. */

import { metricsName, type NamedKey } from '../../appliance/context/values.ts'
import { malformedLocation, metricsPath, openPaths } from '../../appliance/requests/api.ts'
import type { Site } from './site.ts'
import { entries, exactly, headerEnd, nameIn } from './syntax.ts'

/** RFC 7617: user, colon, password, in Base64. */
const basicCredentials = ({ name, key }: NamedKey) => Buffer.from(`${name}:${key}`).toString('base64')

const metricsPatterns = (key: string) => [
  `(?i:bearer) +${exactly(key)}`,
  `(?i:basic) +${exactly(basicCredentials({ name: metricsName, key }))}`,
]

/** Maps from a request to its tenant and to whether it is unauthenticated, and the rate limit on failures. */
export const keyMaps = ({ keys, metricsKey }: Pick<Site, 'keys' | 'metricsKey'>) => `\
# The tenant. Plain strings in a map are compared case-insensitively, which keys must not be: hence the patterns.
map $http_authorization $copilot_authorization_tenant {
    default "";${entries(
      keys.flatMap(named => [
        `"~^(?i:bearer) +${exactly(named.key)}${headerEnd}" ${named.name};`,
        `"~^(?i:basic) +${exactly(basicCredentials(named))}${headerEnd}" ${named.name};`,
      ]),
    )}
}
map $http_x_api_key $copilot_api_key_tenant {
    default "";${entries(keys.map(({ name, key }) => `"~^${exactly(key)}${headerEnd}" ${name};`))}
}
map $copilot_authorization_tenant $copilot_own_tenant {
    default $copilot_authorization_tenant;
    "" $copilot_api_key_tenant;
}
map $copilot_own_tenant $copilot_tenant {
    default $copilot_own_tenant;
    "" $copilot_fleet_tenant;
}

# How many slots a tenant may take at once, if that is limited.
map $copilot_own_tenant $copilot_quota {
    default "";${entries(keys.filter(({ limit }) => limit !== undefined).map(({ name, limit }) => `${nameIn(name)} ${limit};`))}
}

# A preflight carries no key (Fetch standard, CORS-preflight fetch), so it is answered before keys are looked at.
map $uri $copilot_is_public {
    default "";${entries([...openPaths, malformedLocation].map(path => `"~^${exactly(path)}\\z" open;`))}
}
# The key of the metrics opens nothing else.
map "$uri $http_authorization" $copilot_reads_metrics {
    default "";${metricsKey === undefined ? '' : entries(metricsPatterns(metricsKey).map(pattern => `"~^${exactly(metricsPath)} ${pattern}${headerEnd}" open;`))}
}
map $request_method:$copilot_is_public$copilot_reads_metrics$copilot_tenant $copilot_is_unauthenticated {
    default 0;
    "~^OPTIONS:" 0;
    "~:\\z" 1;
}

# Failures are counted by address; of IPv6 by /64, since one host usually has a whole one.
map $binary_remote_addr $copilot_client_network {
    default $binary_remote_addr;
    "~^(?s)(?<copilot_ipv6_network>.{8}).{8}\\z" $copilot_ipv6_network;
}
limit_req_zone $copilot_client_network zone=copilot_authentication_failures:4m rate=12r/m;
`
