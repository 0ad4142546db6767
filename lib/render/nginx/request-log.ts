/** The request log: the key's name, never the key; no query string, body, or header as the client sent it. */
import { limitHeader, metricsPath, openPaths, routes } from '../../appliance/requests/api.ts'
import {
  clientFamilies,
  type LogFormat,
  logFields,
  other,
  requestLimits,
  unknown,
  unknownNumber,
} from '../../appliance/usage/log-format.ts'
import { entries, exactly } from './syntax.ts'

const loggedPaths = [...openPaths, metricsPath, ...routes.map(({ path }) => path)]
const loggedMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** The variables in the log, each with a value from a list of ours, or a number. */
const maps = (format: LogFormat) => `\
# Requests that a rate limit has let through; of unauthenticated ones only 401s, whose rate is limited by address. So nobody
# can flood the log.
map "$copilot_tenant:$status:$limit_req_status" $copilot_is_logged {
    default 0;
    "~^[^:]+:.*:(PASSED|DELAYED)\\z" 1;
    "~^:401:" 1;
}
map $copilot_tenant $copilot_logged_tenant {
    default $copilot_tenant;
    "" ${unknown};
}
map $request_method $copilot_logged_method {
    default ${other};${entries(loggedMethods.map(method => `${method} ${method};`))}
}
# Unknown paths are not logged: some clients put a key into them.
map $copilot_original_path $copilot_logged_path {
    default ${other};${entries(loggedPaths.map(path => `"~^${exactly(path)}\\z" ${path};`))}
}
map $copilot_first_byte $copilot_logged_first_byte {
    default ${unknownNumber(format)};
    "~^[0-9.]+\\z" $copilot_first_byte;
}
# llama-server sends the headers of a stream as soon as it has a slot; those of a whole answer come with its end.
map "$sent_http_content_type:$upstream_header_time" $copilot_slot_wait {
    default ${unknownNumber(format)};
    "~^text/event-stream[^:]*:(?<copilot_header_time>[0-9.]+)\\z" $copilot_header_time;
}
map $http_user_agent $copilot_client {
    default ${other};
    "" ${unknown};${entries(clientFamilies.map(([family, agent]) => `"~*^${agent}" ${family};`))}
}
map "$status:${limitHeader.variable}" $copilot_limit {
    default ${unknown};
    "429:" requests;${entries(Object.keys(requestLimits).map(limit => `"429:${limit}" ${limit};`))}
}
`

const textFields = logFields.map(({ name, variable }) => `${name}=${variable}`)
const jsonFields = logFields.map(field =>
  'isNumber' in field ? `"${field.name}":${field.variable}` : `"${field.name}":"${field.variable}"`,
)

/** Directives of the `http` block that define `slm_copilot`, the log's format. */
export const requestLog = (format: LogFormat) => `${maps(format)}
log_format slm_copilot ${format === 'json' ? `escape=json '{${jsonFields.join(',')}}'` : `'${textFields.join(' ')}'`};`
