/** nginx's site: the appliance's only listener. TLS, authentication, CORS, and streams that nothing holds up. */
import { certificateFiles, paths, ports, users } from '../appliance/paths.ts'

export type Site = {
  /** The key of the API, and the Basic password. */
  password: string
  /** Folder of the certificate and its key. */
  certificate: string
  hasIpv6: boolean
}

/** A PCRE that matches exactly this text: all but letters and digits as \xHH, so that no text can break out. */
export const exactly = (text: string) =>
  text.replace(/[^A-Za-z0-9]/g, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** RFC 7617: user, colon, password, in Base64. */
const basicCredentials = (password: string) => Buffer.from(`${users.api}:${password}`).toString('base64')

/** A text in nginx's single quotes, in which a backslash escapes the next character. */
const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** An error in the shape of OpenAI's API, which clients show to their users. */
const apiError = (message: string, type: string, code: string) =>
  JSON.stringify({ error: { message, type, param: null, code } })

const errors = {
  unauthorized: apiError(
    'Wrong or missing API key. Give it as "Authorization: Bearer KEY".',
    'invalid_request_error',
    'invalid_api_key',
  ),
  tooLarge: apiError('The request is larger than 64 MB.', 'invalid_request_error', 'request_too_large'),
  unavailable: apiError('The model is loading. Try again soon.', 'server_error', 'unavailable'),
}

/** One `listen` line, or two where the machine has IPv6. */
const listen = (port: number, hasIpv6: boolean, options = '') =>
  [`listen ${port}${options};`, ...(hasIpv6 ? [`listen [::]:${port}${options};`] : [])].join('\n    ')

/** The site. It holds the key, so it is root's alone: nginx's master reads it before the workers exist. */
export const nginxSite = ({ password, certificate, hasIpv6 }: Site) => ({
  path: paths.site,
  mode: 0o600,
  text: `# Written by slm-copilot at every configure: changes made here are lost.

# Who asks. A plain string in a map is compared without regard to case, a key must not be: hence the patterns.
map $http_authorization $copilot_user {
    default "";
    "~^(?i:bearer) +${exactly(password)}\\z" ${users.api};
    "~^(?i:basic) +${exactly(basicCredentials(password))}\\z" ${users.api};
}

# A preflight carries no key (Fetch standard, CORS-preflight fetch), so it is answered before keys are looked at.
map $request_method:$copilot_user $copilot_is_denied {
    default 0;
    "~:\\z" 1;
}
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

upstream slm_copilot {
    server unix:${paths.socket} max_fails=0;
    keepalive 8;
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

    ssl_certificate ${certificate}/${certificateFiles.chain};
    ssl_certificate_key ${certificate}/${certificateFiles.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
    ssl_prefer_server_ciphers off;
    ssl_session_cache shared:slm_copilot:1m;
    ssl_session_tickets off;
    # A record of TLS is readable only when it is whole: small ones, since a token is small.
    ssl_buffer_size 4k;

    client_max_body_size 64m;
    gzip off;

    add_header Access-Control-Allow-Origin * always;
    add_header Access-Control-Allow-Methods $copilot_allowed_methods always;
    add_header Access-Control-Allow-Headers $copilot_allowed_headers always;
    add_header Access-Control-Max-Age $copilot_preflight_age always;

    if ($request_method = OPTIONS) {
        return 204;
    }

    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host localhost;
    # The key ends here, and answers must not be replayable by others (llama-server's /v1/stream).
    proxy_set_header Authorization "";
    proxy_set_header X-Conversation-Id "";
    proxy_buffering off;
    proxy_request_buffering on;
    proxy_connect_timeout 5s;
    proxy_read_timeout 600s;
    proxy_send_timeout 600s;
    proxy_next_upstream off;
    proxy_hide_header Server;
    proxy_hide_header Access-Control-Allow-Origin;
    proxy_hide_header Access-Control-Allow-Credentials;
    proxy_hide_header Access-Control-Allow-Methods;
    proxy_hide_header Access-Control-Allow-Headers;

    error_page 401 @unauthorized;
    error_page 413 @too_large;
    # No connection: llama-server is starting, or being started again.
    error_page 502 504 =503 @unavailable;

    location = /health {
        proxy_pass http://slm_copilot;
    }
    location = /ca.crt {
        alias ${paths.caCertificate};
        default_type application/x-x509-ca-cert;
    }
    location / {
        if ($copilot_is_denied) {
            return 401;
        }
        proxy_pass http://slm_copilot;
    }

    location @unauthorized {
        default_type application/json;
        add_header Access-Control-Allow-Origin * always;
        add_header WWW-Authenticate 'Basic realm="SLM-Copilot"' always;
        return 401 ${quoted(errors.unauthorized)};
    }
    location @too_large {
        default_type application/json;
        add_header Access-Control-Allow-Origin * always;
        return 413 ${quoted(errors.tooLarge)};
    }
    location @unavailable {
        default_type application/json;
        add_header Access-Control-Allow-Origin * always;
        add_header Retry-After 5 always;
        return 503 ${quoted(errors.unavailable)};
    }
}
`,
})

/** A whole configuration around a candidate of the site, for `nginx -t` in a folder of its own. */
export const candidateConfiguration = (folder: string) => `pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    include ${folder}/site.conf;
}
`
