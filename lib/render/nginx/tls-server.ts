/** The edge proxy's server on port 443: TLS, authentication, CORS, the landing page, and unbuffered streams. */
import { fleetHeaders } from '../../appliance/fleet/headers.ts'
import { noBodyLimit, sendTimeouts } from '../../appliance/nginx/limits.ts'
import { certificateFiles, landingPageFile, paths, ports } from '../../appliance/paths.ts'
import {
  deniedLocation,
  limitHeader,
  preflightLocation,
  unsupportedLocation,
} from '../../appliance/requests/api.ts'
import { landingPagePolicy } from '../page/landing-page.ts'
import { errorLocations, ownErrors } from './errors.ts'
import { listen } from './listen.ts'
import { plainRequestLimits } from './request-rate.ts'
import { fleetRoutes, llamaRoutes } from './routes.ts'
import type { Site } from './site.ts'

const tls = (certificate: string) => `ssl_certificate ${certificate}/${certificateFiles.chain};
    ssl_certificate_key ${certificate}/${certificateFiles.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
    ssl_prefer_server_ciphers on;
    ssl_session_cache shared:slm_copilot:1m;
    ssl_session_tickets off;
    # A TLS record can be decrypted only when it is complete: small ones, since tokens are small.
    ssl_buffer_size 4k;`

/** Of what the client sent, only the body reaches llama-server, rewritten by the filter. */
const proxying = ({ settings }: Site) => `proxy_http_version 1.1;
    # No header of the client's: neither the key, nor the one by which others could replay an answer (llama-server's /v1/stream).
    proxy_pass_request_headers off;
    proxy_pass_request_body off;
    proxy_set_header Host localhost;
    proxy_set_header Content-Length "";
    proxy_buffering off;
    proxy_max_temp_file_size 0;
    proxy_connect_timeout 5s;
    # Without streaming, the first byte comes with the last token.
    proxy_read_timeout ${settings.answerTimeout}s;
    proxy_send_timeout 600s;
    proxy_next_upstream off;
    proxy_hide_header Server;
    proxy_hide_header Retry-After;
    # A copilot's, which is the same, behind a router.
    proxy_hide_header X-Request-Id;
    proxy_hide_header ${limitHeader.name};
    proxy_hide_header Access-Control-Allow-Origin;
    proxy_hide_header Access-Control-Allow-Credentials;
    proxy_hide_header Access-Control-Allow-Methods;
    proxy_hide_header Access-Control-Allow-Headers;`

/** Rejects requests without a valid key. `return 401` would take effect before limit_req. The body is never read. */
const denied = `location = ${deniedLocation} {
        internal;
        client_max_body_size 0;
        limit_req zone=copilot_authentication_failures burst=20 nodelay;
        limit_req_status 429;
        deny all;
        error_page 403 =401 @error;
        error_page 429 @error;
    }`

/** Rejects requests whose body is not JSON, once the limits have counted them. The body is never read. */
const unsupported = `location = ${unsupportedLocation} {
        internal;
        client_max_body_size 0;
        deny all;
        error_page 403 =415 @error;
    }`

const landingPage = (
  certificate: string,
) => `# For browsers: its headers replace those above, which are for clients of the API.
    location = / {
        root ${paths.pages};
        try_files /${landingPageFile} =404;
        types {}
        default_type 'text/html; charset=utf-8';
        add_header Cache-Control no-cache;
        add_header Content-Security-Policy "${landingPagePolicy}";
        add_header Referrer-Policy no-referrer;
        add_header X-Content-Type-Options nosniff;
        # A location's own headers replace those of the server: HSTS, where there is any.
        include ${certificate}.conf;
    }`

/** TLS and HTTP/2, in this nginx version's syntax. */
const listenTls = ({ hasIpv6, hasHttp2Directive }: Site) =>
  hasHttp2Directive
    ? `${listen(ports.https, hasIpv6, ' ssl')}\n    http2 on;`
    : listen(ports.https, hasIpv6, ' ssl http2')

/** The whole server block. */
export const tlsServer = (site: Site, certificate: string) => `server {
    ${listenTls(site)}
    server_name _;
    access_log ${paths.accessLog} slm_copilot if=$copilot_is_logged;

    ${tls(certificate)}

    client_max_body_size ${noBodyLimit};
    client_body_buffer_size ${noBodyLimit};
    client_body_timeout 60s;
    # An unread body is drained for this long, so that the client sees the response.
    lingering_time 2s;
    lingering_timeout 1s;
    send_timeout ${sendTimeouts.other}s;
    ${plainRequestLimits(site)}

    include ${certificate}.conf;
    add_header Access-Control-Allow-Origin * always;
    add_header Access-Control-Allow-Methods $copilot_allowed_methods always;
    add_header Access-Control-Allow-Headers $copilot_allowed_headers always;
    add_header Access-Control-Max-Age $copilot_preflight_age always;
    add_header Retry-After $copilot_retry_after always;
    add_header WWW-Authenticate $copilot_challenge always;
    # The id of its line in the request log, which OpenAI's clients show with an error.
    add_header X-Request-Id $copilot_request_id always;
    add_header ${fleetHeaders.services.name} $copilot_fleet_services;
    add_header ${fleetHeaders.refusal.name} $copilot_fleet_refusal always;

    ${proxying(site)}

    ${ownErrors}

    set $copilot_original_path $uri;
    set $args "";
    if ($request_method = OPTIONS) {
        rewrite ^ ${preflightLocation} last;
    }
    if ($copilot_is_unauthenticated) {
        rewrite ^ ${deniedLocation} last;
    }
    # As an error, it ends its connection: \`return\` takes effect before the limits.
    location = ${preflightLocation} {
        internal;
        keepalive_timeout 0;
        return 204;
    }
    ${denied}
    ${unsupported}

    ${landingPage(certificate)}
    location = /ca.crt {
        alias ${paths.caCertificate};
        default_type application/x-x509-ca-cert;
    }
${site.role === 'router' ? fleetRoutes(site) : llamaRoutes(site)}
    # Not by return, which would take effect before the limits.
    location / {
        client_max_body_size 0;
        deny all;
        error_page 403 =404 @error;
    }
${errorLocations}
}`
