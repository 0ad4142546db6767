/** How nginx answers errors: each status as it is, the text from the program in nginx (lib/edge/answers.ts). */
import { malformedLocation } from '../../appliance/requests/api.ts'

/** `error_page` lines for what the edge proxy itself finds. */
export const ownErrors = `error_page 401 404 405 413 415 429 500 @error;
    error_page 400 414 ${malformedLocation};
    error_page 497 501 505 =400 ${malformedLocation};
    error_page 494 =431 ${malformedLocation};`

/** Those where llama-server answers: that it does not, or that there is no slot. A location's own take the place of the others. */
const upstreamErrors = `proxy_intercept_errors on;
        error_page 502 503 =503 @error;`

/** Where nothing is asked that could be wrong. */
export const readErrors = `${upstreamErrors}
        error_page 404 405 413 500 504 @error;`

/** What llama-server says of a request is passed on (js_body_filter). */
export const generationErrors = `${upstreamErrors}
        error_page 429 504 @error;
        error_page 500 = @failed;`

/** A status that an \`error_page\` set stays: 200 is not what comes (ngx_http_send_header, err_status). */
export const errorLocations = `
    location @error {
        default_type application/json;
        return 200 $copilot_error;
    }
    location = ${malformedLocation} {
        internal;
        default_type application/json;
        return 200 $copilot_error;
    }`
