/** nginx's site: the appliance's only listener. TLS, keys, admission, CORS, and streams that nothing holds up. */
import { doorErrors, doorHeaders, type Route, routes } from '../appliance/api.ts'
import { certificateFiles, landingPageFile, paths, ports } from '../appliance/paths.ts'
import type { NamedKey } from '../appliance/values.ts'
import { landingPagePolicy } from './landing-page.ts'
import { errorLocation, errorMap } from './nginx-errors.ts'
import { keyMaps } from './nginx-keys.ts'
import { turns, turnsMap } from './nginx-turns.ts'

export type Site = {
  keys: NamedKey[]
  /** Folder of the certificate and its key; beside it, as `.conf`, the headers that go with them. */
  certificate: string
  hasIpv6: boolean
}

/** One `listen` line, or two where the machine has IPv6. */
const listen = (port: number, hasIpv6: boolean, options = '') =>
  [`listen ${port}${options};`, ...(hasIpv6 ? [`listen [::]:${port}${options};`] : [])].join('\n    ')

/** The path goes on as it was matched, never as it was written: what llama-server made of `..` would be its own. */
const route = ({ path, method, isGeneration }: Route) => `
    location = ${path} {
        if ($request_method !~ ^${method === 'GET' ? '(GET|HEAD)' : method}$) {
            return 405;
        }
        proxy_pass http://${isGeneration ? 'slm_copilot_gate' : 'slm_copilot'}${path};
    }`

/** What nginx says of the pair in use: with a public certificate that it is TLS or nothing (RFC 6797), half a year. */
export const servedHeaders = (isPublic: boolean) => ({
  path: paths.currentHeaders,
  mode: 0o644,
  text: `# Written by slm-copilot.
${isPublic ? "add_header Strict-Transport-Security 'max-age=15768000' always;" : '# No HSTS: a private certificate.'}
`,
})

/** The site. It holds the keys, so it is root's alone: nginx's master reads it before the workers exist. */
export const nginxSite = ({ keys, certificate, hasIpv6 }: Site) => ({
  path: paths.site,
  mode: 0o600,
  text: `# Written by slm-copilot at every configure: changes made here are lost.

${keyMaps(keys)}
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
${turnsMap(turns)}
map $status $copilot_retry_after {
    default "";
    429 $copilot_turn;
    503 5;
}
map $status $copilot_challenge {
    default "";
    401 'Basic realm="SLM-Copilot"';
}

${Object.entries(doorErrors)
  .map(([name, texts]) => errorMap(name, texts))
  .join('')}
# The name of the key, never the key; no query, which some put a key into.
log_format slm_copilot '$remote_addr $copilot_user [$time_iso8601] "$request_method $uri" '
    '$status $body_bytes_sent $request_time s';

# A new connection for each request: llama-server ends an idle one after 5 s, and a request that goes out on it at that
# moment would be a 503.
upstream slm_copilot {
    server unix:${paths.socket} max_fails=0;
}
upstream slm_copilot_gate {
    server unix:${paths.gateSocket} max_fails=0;
}

server {
    ${listen(ports.http, hasIpv6, ' default_server')}
    server_name _;
    server_tokens off;
    access_log off;

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
}

server {
    ${listen(ports.https, hasIpv6, ' ssl http2 default_server')}
    server_name _;
    server_tokens off;
    access_log /var/log/nginx/slm-copilot.log slm_copilot;

    ssl_certificate ${certificate}/${certificateFiles.chain};
    ssl_certificate_key ${certificate}/${certificateFiles.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
    ssl_prefer_server_ciphers on;
    ssl_session_cache shared:slm_copilot:1m;
    ssl_session_tickets off;
    # A record of TLS is readable only when it is whole: small ones, since a token is small.
    ssl_buffer_size 4k;

    client_max_body_size 64m;
    client_header_timeout 30s;
    client_body_timeout 120s;
    # One who takes nothing of what is there for him gives his slot to others. Over HTTP/2 that shows after the 64 KB of
    # his window; who takes 300 bytes a second, about one token, is not cut. Over HTTP/1.1 the kernel takes megabytes
    # for him, and the slot is free when the answer ends.
    send_timeout 120s;
    gzip off;

    include ${certificate}.conf;
    add_header Access-Control-Allow-Origin * always;
    add_header Access-Control-Allow-Methods $copilot_allowed_methods always;
    add_header Access-Control-Allow-Headers $copilot_allowed_headers always;
    add_header Access-Control-Max-Age $copilot_preflight_age always;
    add_header Retry-After $copilot_retry_after always;
    add_header WWW-Authenticate $copilot_challenge always;

    proxy_http_version 1.1;
    proxy_set_header Host localhost;
    # The key ends here, and answers must not be replayable by others (llama-server's /v1/stream).
    proxy_set_header Authorization "";
    proxy_set_header X-Api-Key "";
    proxy_set_header X-Conversation-Id "";
    # Of several keys none may take the last slot.
    proxy_set_header ${doorHeaders.sharer.name} ${keys.length > 1 ? '$copilot_user' : '""'};
    proxy_buffering off;
    proxy_connect_timeout 5s;
    proxy_read_timeout 600s;
    proxy_send_timeout 600s;
    proxy_next_upstream off;
    proxy_hide_header Server;
    proxy_hide_header Retry-After;
    proxy_hide_header Access-Control-Allow-Origin;
    proxy_hide_header Access-Control-Allow-Credentials;
    proxy_hide_header Access-Control-Allow-Methods;
    proxy_hide_header Access-Control-Allow-Headers;

    limit_conn_status 429;
    limit_req_status 429;
    error_page 404 @notFound;
    error_page 405 @wrongMethod;
    error_page 413 @tooLarge;
    error_page 429 @busy;
    # No connection: llama-server is starting, or being started again.
    error_page 502 504 =503 @unavailable;

    if ($request_method = OPTIONS) {
        return 204;
    }
    # A \`return 401\` here would come before failures are counted.
    if ($copilot_is_denied) {
        rewrite ^ /slm-copilot-denied last;
    }
    location = /slm-copilot-denied {
        internal;
        limit_req zone=copilot_failures burst=20 nodelay;
        deny all;
        error_page 403 =401 @unauthorized;
        error_page 429 @tooManyFailures;
    }

    # A page for people: its headers take the place of those above, which are for clients of the API.
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
    }
    location = /health {
        error_page 502 504 =503 @loading;
        proxy_pass http://slm_copilot/health;
    }
    location = /ca.crt {
        alias ${paths.caCertificate};
        default_type application/x-x509-ca-cert;
    }
${routes.map(route).join('\n')}

    location / {
        return 404;
    }

    location @loading {
        default_type application/json;
        return 503 '{"status":"loading"}';
    }
${[
  errorLocation('unauthorized', 401),
  errorLocation('tooManyFailures', 429),
  errorLocation('notFound', 404),
  errorLocation('wrongMethod', 405),
  errorLocation('tooLarge', 413),
  errorLocation('busy', 429),
  errorLocation('unavailable', 503),
].join('')}
}
`,
})

/** A whole configuration around a candidate of the site, for \`nginx -t\` in a folder of its own. */
export const candidateConfiguration = (folder: string) => `pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    include ${folder}/site.conf;
}
`
