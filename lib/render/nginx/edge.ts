/** The edge proxy's whole configuration: the appliance's only listener. */
import { connections, headerTimeout } from '../../appliance/nginx/edge.ts'
import { paths, users } from '../../appliance/paths.ts'
import { keyMaps } from './keys.ts'
import { answerMaps, requestMaps } from './maps.ts'
import { plainServer, type Site, tlsServer } from './site.ts'
import { tenantMap } from './tenants.ts'

/** What stands elsewhere while `nginx -t` looks at a candidate. */
export type EdgeFiles = { certificate: string; program: string; pid: string }

const edgeFiles: EdgeFiles = {
  certificate: paths.currentCertificate,
  program: paths.edgeProgram,
  pid: paths.nginxPid,
}

/**
 * A configuration of its own instead of a site in Debian's: that allows 768 connections, which one stranger takes, and only
 * the file's owner, dpkg, may change it. It holds the keys, so it is root's alone: nginx's master reads it before the workers
 * exist.
 */
export const edgeConfiguration = (site: Site, { certificate, program, pid }: EdgeFiles = edgeFiles) => ({
  path: paths.edgeConfiguration,
  mode: 0o600,
  text: `# Written by slm-copilot at every configure: changes made here are lost.

load_module ${paths.nginxScriptModule};
user ${users.web};
worker_processes ${connections.processes};
pid ${pid};
# Only what concerns nginx itself: a line about a request holds its query, which some put a key into. Already at \`crit\` each
# request would be one while llama-server's socket is not there.
error_log ${paths.errorLog} alert;

events {
    worker_connections ${connections.worker};
}

http {
    js_import copilot from ${program};
    js_set $copilot_error copilot.error;
    js_var $copilot_body;

    server_tokens off;
    sendfile on;
    gzip off;
    access_log off;
    reset_timedout_connection on;
    client_header_timeout ${headerTimeout}s;
    # What a request holds is kept in memory. These folders are on a file system in memory, should that be too small.
    client_body_temp_path ${paths.edgeBodies};
    proxy_temp_path ${paths.edgeBodies};
    fastcgi_temp_path ${paths.edgeBodies};
    uwsgi_temp_path ${paths.edgeBodies};
    scgi_temp_path ${paths.edgeBodies};

${keyMaps(site.keys)}
${tenantMap(site.keys, site.cacheSharing)}
${requestMaps}
${answerMaps}
# Each of nginx's processes counts for itself (as in ${paths.admissionConfiguration}).
map $copilot_user $copilot_requester {
    default "$pid $copilot_user";
}
limit_conn_zone $copilot_requester zone=copilot_requests:1m;
limit_conn_status 429;
limit_req_status 429;

# The name of the key, never the key; no query, which some put a key into.
log_format slm_copilot '$remote_addr $copilot_user [$time_iso8601] "$request_method $copilot_shown_path" '
    '$status $body_bytes_sent $request_time s';

# A new connection for each request: llama-server ends an idle one after 5 s, and a request that goes out on it at that
# moment would be a 503.
upstream slm_copilot_admission {
    server unix:${paths.admissionSocket} max_fails=0;
}

${plainServer(site)}
${tlsServer(site, certificate)}
}
`,
})
