/** Variables of the edge proxy: what depends on a request's headers, or on an answer's status. */
import { openPaths, routes } from '../../appliance/requests/api.ts'
import { exactly } from './keys.ts'
import { retryAfter, retryAfterMap } from './retry-after.ts'

const shownPaths = [...openPaths, ...routes.map(({ path }) => path)]

export const requestMaps = `\
# A form on a stranger's page can send credentials that the browser keeps, but not this type (Fetch standard, CORS-safelisted
# request headers).
map $http_content_type $copilot_media {
    default "";
    "~*^application/json *(;|\\z)" json;
}
map "$copilot_media:$http_content_encoding" $copilot_is_unsupported {
    default 1;
    "~*^json:(identity)?\\z" 0;
}
# Who has no key writes no line that is not counted: 401s are, by address.
map "$copilot_user:$status" $copilot_is_logged {
    default 1;
    "~^:(?!401)" 0;
}
# No path that is not ours: some put a key into it.
map $copilot_path $copilot_shown_path {
    default "(unknown path)";
${shownPaths.map(path => `    "~^${exactly(path)}\\z" ${path};`).join('\n')}
}
`

export const answerMaps = `\
# Headers that belong to some answers only: an empty one is not sent.
map $request_method $copilot_allowed_methods {
    default "";
    OPTIONS "GET, POST, OPTIONS";
}
map $request_method $copilot_allowed_headers {
    default "";
    OPTIONS $http_access_control_request_headers;
}
map $request_method $copilot_preflight_age {
    default "";
    OPTIONS 86400;
}
${retryAfterMap(retryAfter)}
map $status $copilot_retry_after {
    default "";
    429 $copilot_delay;
    503 5;
}
map $status $copilot_challenge {
    default "";
    401 'Basic realm="SLM-Copilot"';
}
`
