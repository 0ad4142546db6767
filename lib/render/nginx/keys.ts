/** Authentication: nginx maps from a request's credentials to its tenant. */

import { metricsName, type NamedKey } from '../../appliance/context/values.ts'
import { malformedLocation, metricsPath, openPaths } from '../../appliance/requests/api.ts'
import type { Site } from './site.ts'

/** A PCRE that matches exactly this text: everything but letters and digits is escaped as \xHH. */
export const exactly = (text: string) =>
  text.replace(/[^A-Za-z0-9]/g, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** A tenant's name as an entry of a map: some names are words of nginx's there, such as `default` and `include`. */
export const nameIn = (name: string) => `"~^${exactly(name)}\\z"`

/** RFC 7617: user, colon, password, in Base64. */
const basicCredentials = ({ name, key }: NamedKey) => Buffer.from(`${name}:${key}`).toString('base64')

export const indented = (lines: string[]) => lines.map(line => `    ${line}`).join('\n')

/** Optional trailing white space (RFC 9110, 5.5): nginx strips spaces only over HTTP/1.1, and tabs never. */
export const end = '[ \\t]*\\z'

const metricsPatterns = (key: string) => [
  `(?i:bearer) +${exactly(key)}`,
  `(?i:basic) +${exactly(basicCredentials({ name: metricsName, key }))}`,
]

/** Maps from a request to its tenant and to whether it is unauthenticated, and the rate limit on failures. */
export const keyMaps = ({ keys, metricsKey }: Pick<Site, 'keys' | 'metricsKey'>) => `\
# The tenant. Plain strings in a map are compared case-insensitively, which keys must not be: hence the patterns.
map $http_authorization $copilot_authorization_tenant {
    default "";
${indented(
  keys.flatMap(named => [
    `"~^(?i:bearer) +${exactly(named.key)}${end}" ${named.name};`,
    `"~^(?i:basic) +${exactly(basicCredentials(named))}${end}" ${named.name};`,
  ]),
)}
}
map $http_x_api_key $copilot_api_key_tenant {
    default "";
${indented(keys.map(({ name, key }) => `"~^${exactly(key)}${end}" ${name};`))}
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
    default "";
${indented(keys.filter(({ limit }) => limit !== undefined).map(({ name, limit }) => `${nameIn(name)} ${limit};`))}
}

# A preflight carries no key (Fetch standard, CORS-preflight fetch), so it is answered before keys are looked at.
map $uri $copilot_is_public {
    default "";
${indented([...openPaths, malformedLocation].map(path => `"~^${exactly(path)}\\z" open;`))}
}
# The key of the metrics opens nothing else.
map "$uri $http_authorization" $copilot_reads_metrics {
    default "";
${metricsKey === undefined ? '' : indented(metricsPatterns(metricsKey).map(pattern => `"~^${exactly(metricsPath)} ${pattern}${end}" open;`))}
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
