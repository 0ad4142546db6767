/** Who may come in: the part of nginx's site that knows keys. */

import type { NamedKey } from '../../appliance/context/values.ts'
import { malformedLocation, openPaths } from '../../appliance/requests/api.ts'

/** A PCRE that matches exactly this text: all but letters and digits as \xHH, so that no text can break out. */
export const exactly = (text: string) =>
  text.replace(/[^A-Za-z0-9]/g, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** RFC 7617: user, colon, password, in Base64. */
const basicCredentials = ({ name, key }: NamedKey) => Buffer.from(`${name}:${key}`).toString('base64')

const indented = (lines: string[]) => lines.map(line => `    ${line}`).join('\n')

/** White space after a header's value is no part of it (RFC 9110, 5.5); nginx takes it away over HTTP/1.1 alone, and no tab. */
const end = '[ \\t]*\\z'

/** Maps from a request to its user, and to whether it is turned away; the counting of failures. */
export const keyMaps = (keys: NamedKey[]) => `\
# Who asks. A plain string in a map is compared without regard to case, a key must not be: hence the patterns.
map $http_authorization $copilot_by_authorization {
    default "";
${indented(
  keys.flatMap(named => [
    `"~^(?i:bearer) +${exactly(named.key)}${end}" ${named.name};`,
    `"~^(?i:basic) +${exactly(basicCredentials(named))}${end}" ${named.name};`,
  ]),
)}
}
map $http_x_api_key $copilot_by_api_key {
    default "";
${indented(keys.map(({ name, key }) => `"~^${exactly(key)}${end}" ${name};`))}
}
map $copilot_by_authorization $copilot_user {
    default $copilot_by_authorization;
    "" $copilot_by_api_key;
}

# A preflight carries no key (Fetch standard, CORS-preflight fetch), so it is answered before keys are looked at.
map $uri $copilot_is_open {
    default "";
${indented([...openPaths, malformedLocation].map(path => `"~^${exactly(path)}\\z" open;`))}
}
map $request_method:$copilot_is_open$copilot_user $copilot_is_denied {
    default 0;
    "~^OPTIONS:" 0;
    "~:\\z" 1;
}

# Failures count by address; an IPv6 host owns its whole /64, so that is what counts.
map $binary_remote_addr $copilot_address {
    default $binary_remote_addr;
    "~^(?s)(?<copilot_network>.{8}).{8}\\z" $copilot_network;
}
limit_req_zone $copilot_address zone=copilot_failures:4m rate=12r/m;
`
