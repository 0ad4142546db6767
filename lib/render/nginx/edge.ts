/** The complete configuration of the edge proxy, the only listener on the network besides sshd. */
import { connections, headerTimeout } from '../../appliance/nginx/limits.ts'
import { paths, users } from '../../appliance/paths.ts'
import { mostAttempts } from '../../appliance/requests/api.ts'
import { writtenAtConfigure } from '../written.ts'
import { fleetMaps } from './fleet.ts'
import { keyMaps } from './keys.ts'
import { answerMaps, requestMaps } from './maps.ts'
import { plainServer } from './plain-server.ts'
import { requestLog } from './request-log.ts'
import { requestRateZones } from './request-rate.ts'
import type { Site } from './site.ts'
import { nested } from './syntax.ts'
import { tenantMap } from './tenants.ts'
import { tlsServer } from './tls-server.ts'

/** Paths that differ while `nginx -t` checks a candidate. */
export type EdgeFiles = { certificate: string; program: string; pid: string }

const edgeFiles: EdgeFiles = {
  certificate: paths.currentCertificate,
  program: paths.edgeProgram,
  pid: paths.nginxPid,
}

const admissionUpstream = `\
# A new connection for each request: llama-server closes idle ones after 5 s, and a request sent at that moment would fail
# with 503.
upstream slm_copilot_admission {
    server unix:${paths.admissionSocket} max_fails=0;
}`

const fleetUpstream = `\
# HAProxy. What a copilot fails or refuses is sent again, to the second socket, and goes to another. Each line is used once.
upstream slm_copilot_admission {
    server unix:${paths.admissionSocket} max_fails=0;
${`    server unix:${paths.repeatedSocket} max_fails=0 backup;\n`.repeat(mostAttempts - 1)}}`

/**
 * A complete configuration instead of a site in Debian's, which belongs to dpkg and allows only 768
 * connections: one client can open as many. It contains the keys, so only root can read it: nginx's master
 * process does.
 */
export const edgeConfiguration = (site: Site, { certificate, program, pid }: EdgeFiles = edgeFiles) => ({
  path: paths.edgeConfiguration,
  mode: 0o600,
  text: `${writtenAtConfigure}

load_module ${paths.nginxScriptModule};
user ${users.web};
worker_processes ${connections.processes};
pid ${pid};
# Nothing about requests: such lines contain the query string, where some clients put a key. At \`crit\` there would be one
# for each request while llama-server's socket is missing.
error_log ${paths.errorLog} alert;

events {
    worker_connections ${connections.worker};
}

http {
${nested(httpBlock(site, certificate, program))}
}
`,
})

const httpBlock = (site: Site, certificate: string, program: string) => `\
js_import copilot from ${program};
js_set $copilot_error_body copilot.error;
${scriptVariables(site)}

server_tokens off;
sendfile on;
gzip off;
access_log off;
reset_timedout_connection on;
client_header_timeout ${headerTimeout}s;
# With the default of 1024, nginx warns that it has no room for as many variables.
variables_hash_max_size 4096;
# Bodies are buffered in memory. These folders, for what exceeds the buffers, are on a tmpfs.
client_body_temp_path ${paths.edgeBodies};
proxy_temp_path ${paths.edgeBodies};
fastcgi_temp_path ${paths.edgeBodies};
uwsgi_temp_path ${paths.edgeBodies};
scgi_temp_path ${paths.edgeBodies};

${keyMaps(site)}
${fleetMaps(site)}
${tenantMap(site)}
${requestMaps}
${answerMaps}
# Each worker counts for itself (as in ${paths.admissionConfiguration}).
map $copilot_tenant $copilot_requests_key {
    default "$pid $copilot_tenant";
}
limit_conn_zone $copilot_requests_key zone=copilot_requests_per_tenant:1m;
${requestRateZones(site)}
${requestLog(site.logFormat)}

${site.role === 'router' ? fleetUpstream : admissionUpstream}

${plainServer(site)}
${tlsServer(site, certificate)}`

/** What the program tells nginx about a request. */
const scriptVariables = ({ role }: Site) =>
  ['filtered_body', 'first_byte', 'service', ...(role === 'router' ? ['session', 'model'] : [])]
    .map(name => `js_var $copilot_${name};`)
    .join('\n')
