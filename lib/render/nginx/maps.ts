/** The edge proxy's variables that depend on a request's headers or on a response's status. */
import { retryAfter, retryAfterMap } from './retry-after.ts'

export const requestMaps = `\
# Against cross-site requests: a form on another site can send the browser's stored credentials, but not this content type
# (Fetch standard, CORS-safelisted request headers).
map $http_content_type $copilot_media_type {
    default "";
    "~*^application/json *(;|\\z)" json;
}
map "$copilot_media_type:$http_content_encoding" $copilot_is_unsupported_media_type {
    default 1;
    "~*^json:(identity)?\\z" 0;
}
`

export const answerMaps = `\
# Headers of some responses only: an empty header is not sent.
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
    429 $copilot_backoff;
    503 5;
}
map $status $copilot_challenge {
    default "";
    401 'Basic realm="SLM-Copilot"';
}
`
