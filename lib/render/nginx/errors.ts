/** nginx's error pages: which status is sent for which error; the body comes from lib/edge/error-messages.ts. */
import { malformedLocation } from '../../appliance/requests/api.ts'

/** `error_page` directives for errors that the edge proxy itself detects. */
export const ownErrors = `error_page 401 404 405 429 500 @error;
    error_page 413 @too_large;
    # Of limit_except.
    error_page 403 =405 @error;
    error_page 400 414 ${malformedLocation};
    error_page 497 501 505 =400 ${malformedLocation};
    error_page 494 =431 ${malformedLocation};`

/** For locations that proxy to llama-server. A location's own `error_page` directives replace the server's. */
const upstreamErrors = `proxy_intercept_errors on;
        error_page 502 503 =503 @error;`

/** For GET routes, which have no body that llama-server could reject. */
export const readErrors = `${upstreamErrors}
        error_page 403 =405 @error;
        error_page 404 405 500 504 @error;
        error_page 413 @too_large;`

/** For POST routes: llama-server's rejections are passed on, rewritten by js_body_filter. */
export const generationErrors = `${upstreamErrors}
        error_page 429 504 @error;
        error_page 500 = @failed;`

/**
 * `return 200` sends the status that `error_page` has set: ngx_http_send_header prefers err_status. Over HTTP/1.1 the
 * connection ends with the error: whoever goes on regardless needs a connection for each, whose rate is limited.
 */
export const errorLocations = `
    location @error {
        keepalive_timeout 0;
        default_type application/json;
        return 200 $copilot_error_text;
    }
    # Not by return, which would take effect before the limits on requests: what they have not counted is not logged.
    location @too_large {
        js_content copilot.sendError;
    }
    location = ${malformedLocation} {
        internal;
        # Its length would be a second error, with nginx's own page.
        client_max_body_size 0;
        default_type application/json;
        return 200 $copilot_error_text;
    }`
