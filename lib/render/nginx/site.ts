/** The edge proxy's two servers: TLS, keys, routes, CORS, and streams that nothing holds up; over plain HTTP the way there. */

import type { NamedKey } from '../../appliance/context/values.ts'
import type { CacheSharing } from '../../appliance/nginx/cache-sharing.ts'
import { answerTimeout, noBodyLimit, requestsOfKey } from '../../appliance/nginx/edge.ts'
import { certificateFiles, landingPageFile, paths, ports } from '../../appliance/paths.ts'
import {
  checkLocation,
  deniedLocation,
  edgeHeaders,
  type Route,
  routes,
} from '../../appliance/requests/api.ts'
import { landingPagePolicy } from '../page/landing-page.ts'
import { errorLocations, generationErrors, ownErrors, readErrors } from './errors.ts'
import { exactly } from './keys.ts'

export type Site = {
  keys: NamedKey[]
  cacheSharing: CacheSharing
  hasIpv6: boolean
  /** Whether nginx has a directive for HTTP/2; else it is a parameter of `listen`. */
  hasHttp2Directive: boolean
  /** Tokens that one conversation may hold. */
  contextSize: number
  /** Bytes of the largest request. */
  bodyLimit: number
}

const pathsOf = (wanted: Route['method']) =>
  routes.filter(({ method }) => method === wanted).map(({ path }) => path)
const readPaths = ['/health', ...pathsOf('GET')]
const writtenPaths = pathsOf('POST').map(exactly)

/** One `listen` line, or two where the machine has IPv6. A peer that vanished is noticed within two minutes. */
const listen = (port: number, hasIpv6: boolean, options = '') =>
  [port, ...(hasIpv6 ? [`[::]:${port}`] : [])]
    .map(address => `listen ${address}${options} default_server so_keepalive=60s:20s:3;`)
    .join('\n    ')

/** The path goes on as it was matched, never as it was written: what llama-server made of `..` would be its own. */
const readRoute = (path: string) => `
    location = ${path} {
        if ($request_method !~ ^(GET|HEAD)$) {
            return 405;
        }
        ${readErrors}
        proxy_method GET;
        proxy_pass http://slm_copilot_admission${path};
    }`

/**
 * The body is read whole, into memory, and goes on as the filter wrote it. Its buffer is a quarter larger than the limit:
 * what is sent in chunks takes room for their lengths too.
 */
const writeRoutes = (limit: number) => `
    location ~ ^(${writtenPaths.join('|')})\\z {
        if ($request_method != POST) {
            return 405;
        }
        if ($copilot_is_unsupported) {
            return 415;
        }
        limit_conn copilot_requests ${requestsOfKey};
        client_max_body_size ${limit};
        client_body_buffer_size ${limit + limit / 4};
        client_body_in_single_buffer on;
        js_content copilot.filter;
    }`

/** What nginx says of the pair in use: with a public certificate that it is TLS or nothing (RFC 6797), half a year. */
export const hstsFile = (isPublic: boolean) => ({
  path: paths.currentHeaders,
  mode: 0o644,
  text: `# Written by slm-copilot.
${isPublic ? "add_header Strict-Transport-Security 'max-age=15768000' always;" : '# No HSTS: a private certificate.'}
`,
})

/** Plain HTTP: for ACME servers, the CA's certificate, and the way to TLS. */
export const plainServer = ({ hasIpv6 }: Site) => `server {
    ${listen(ports.http, hasIpv6)}
    server_name _;
    client_max_body_size ${noBodyLimit};

    location /.well-known/acme-challenge/ {
        root ${paths.acme};
    }
    location = /ca.crt {
        alias ${paths.caCertificate};
        default_type application/x-x509-ca-cert;
    }
    location / {
        return 308 https://$host$request_uri;
    }
}`

const tls = (certificate: string) => `ssl_certificate ${certificate}/${certificateFiles.chain};
    ssl_certificate_key ${certificate}/${certificateFiles.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
    ssl_prefer_server_ciphers on;
    ssl_session_cache shared:slm_copilot:1m;
    ssl_session_tickets off;
    # A record of TLS is readable only when it is whole: small ones, since a token is small.
    ssl_buffer_size 4k;`

/** What is asked of llama-server: nothing of the client's but the body, as the filter wrote it, or none. */
const proxying = ({ contextSize }: Site) => `proxy_http_version 1.1;
    # No header of a client's: not the key, nor one that makes answers replayable by others (llama-server's /v1/stream).
    proxy_pass_request_headers off;
    proxy_pass_request_body off;
    proxy_set_header Host localhost;
    proxy_set_header Content-Length "";
    proxy_buffering off;
    proxy_max_temp_file_size 0;
    proxy_connect_timeout 5s;
    # Where nothing is streamed, the first byte comes with the last token.
    proxy_read_timeout ${answerTimeout(contextSize)}s;
    proxy_send_timeout 600s;
    proxy_next_upstream off;
    proxy_hide_header Server;
    proxy_hide_header Retry-After;
    proxy_hide_header Access-Control-Allow-Origin;
    proxy_hide_header Access-Control-Allow-Credentials;
    proxy_hide_header Access-Control-Allow-Methods;
    proxy_hide_header Access-Control-Allow-Headers;`

/** A request without a good key. A \`return 401\` would come before failures are counted. Its body is never read. */
const denied = `location = ${deniedLocation} {
        internal;
        client_max_body_size 0;
        limit_req zone=copilot_failures burst=20 nodelay;
        deny all;
        error_page 403 =401 @error;
        error_page 429 @error;
    }`

const landingPage = (
  certificate: string,
) => `# A page for people: its headers take the place of those above, which are for clients of the API.
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

const asWritten = `proxy_set_header Host localhost;
        proxy_set_header Content-Type application/json;
        proxy_set_body $copilot_body;`

/** Where the filter sends what it has written. Of several keys none may take the last slot. */
const filteredRequests = ({ keys }: Site) => `
    location @llama {
        ${generationErrors}
        js_header_filter copilot.answerHeaders;
        js_body_filter copilot.answerBody buffer_type=buffer;
        ${asWritten}
        proxy_set_header ${edgeHeaders.tenant.name} ${keys.length > 1 ? '$copilot_user' : '""'};
        proxy_pass http://slm_copilot_admission$uri;
    }
    location @failed {
        js_content copilot.failed;
    }
    location ~ ^${checkLocation}(?<copilot_checked>/.*)\\z {
        internal;
        ${asWritten}
        proxy_pass http://slm_copilot_admission$copilot_checked;
    }`

const listenTls = ({ hasIpv6, hasHttp2Directive }: Site) =>
  hasHttp2Directive
    ? `${listen(ports.https, hasIpv6, ' ssl')}\n    http2 on;`
    : listen(ports.https, hasIpv6, ' ssl http2')

/** HTTPS. */
export const tlsServer = (site: Site, certificate: string) => `server {
    ${listenTls(site)}
    server_name _;
    access_log ${paths.accessLog} slm_copilot if=$copilot_is_logged;

    ${tls(certificate)}

    client_max_body_size ${noBodyLimit};
    client_body_buffer_size ${noBodyLimit};
    client_body_timeout 60s;
    # A body that nobody reads: so long is its end waited for, so that the client sees the answer.
    lingering_time 2s;
    lingering_timeout 1s;
    # One who takes nothing of what is there for him gives his slot to others. Over HTTP/2 that shows after the 64 KB of
    # his window; who takes 300 bytes a second, about one token, is not cut. Over HTTP/1.1 the kernel takes megabytes
    # for him, and the slot is free when the answer ends.
    send_timeout 120s;

    include ${certificate}.conf;
    add_header Access-Control-Allow-Origin * always;
    add_header Access-Control-Allow-Methods $copilot_allowed_methods always;
    add_header Access-Control-Allow-Headers $copilot_allowed_headers always;
    add_header Access-Control-Max-Age $copilot_preflight_age always;
    add_header Retry-After $copilot_retry_after always;
    add_header WWW-Authenticate $copilot_challenge always;

    ${proxying(site)}

    ${ownErrors}

    set $copilot_path $uri;
    set $args "";
    if ($request_method = OPTIONS) {
        return 204;
    }
    if ($copilot_is_denied) {
        rewrite ^ ${deniedLocation} last;
    }
    ${denied}

    ${landingPage(certificate)}
    location = /ca.crt {
        alias ${paths.caCertificate};
        default_type application/x-x509-ca-cert;
    }
${readPaths.map(readRoute).join('\n')}
    location ~ ^/v1/models/. {
        if ($request_method !~ ^(GET|HEAD)$) {
            return 405;
        }
        js_content copilot.model;
    }
${writeRoutes(site.bodyLimit)}

${filteredRequests(site)}
    location / {
        client_max_body_size 0;
        return 404;
    }
${errorLocations}
}`
