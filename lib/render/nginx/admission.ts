/** The admission proxy: a small nginx between the edge proxy and llama-server that admits as many generations as there are slots. */

import type { CacheSharing } from '../../appliance/nginx/cache-sharing.ts'
import { answerTimeout, counters } from '../../appliance/nginx/edge.ts'
import { healthUrl, paths, queueUrl, users } from '../../appliance/paths.ts'
import { edgeHeaders, routes } from '../../appliance/requests/api.ts'
import { sandbox } from '../units/sandbox.ts'
import { exactly } from './keys.ts'

type Admission = {
  slots: number
  /** Tokens that one conversation may hold. */
  contextSize: number
  cacheSharing: CacheSharing
}

const generations = routes.filter(({ isGeneration }) => isGeneration)

/** What is read: by clients; and by the watchdog and `status`, which the edge proxy lets nobody else ask. */
const uncounted = [
  ...new Set([healthUrl, queueUrl].map(url => new URL(url).pathname)),
  ...routes.filter(({ method }) => method === 'GET').map(({ path }) => path),
]

/** A key's most generations at once: where there are several keys none may take the last slot of all. */
const shareOf = (slots: number) => Math.max(1, slots - 1)

/**
 * Where keys share a cache: counts of what was cached are taken out of answers. Here and not in the edge proxy, since a
 * filter of bodies reads on whatever becomes of what it has read: the edge proxy waits for its client and cuts one who
 * takes nothing, and what this proxy holds meanwhile is at most the rest of an answer.
 */
const countFilter = {
  module: `load_module ${paths.nginxScriptModule};\n`,
  program: `    js_import copilot from ${paths.admissionProgram};\n`,
  location: `
            js_header_filter copilot.countHeaders;
            js_body_filter copilot.countBody buffer_type=buffer;`,
}
const noFilter = { module: '', program: '', location: '' }

/**
 * Its configuration. limit_conn counts in shared memory, where the counts of a worker killed with -9 stay until nginx is
 * started anew. Here each worker has counts of its own, and one worker is all there is: its connections and its counts
 * end together. The edge proxy cannot count so, since a reload leaves old workers beside the new ones; the admission proxy never reloads.
 */
export const admissionConfiguration = (admission: Admission) => ({
  path: paths.admissionConfiguration,
  mode: 0o644,
  text: configurationText(admission, admission.cacheSharing === 'shared' ? countFilter : noFilter),
})

const configurationText = ({ slots, contextSize }: Admission, filter: typeof countFilter) =>
  `# Written by slm-copilot at every configure: changes made here are lost.

${filter.module}daemon off;
worker_processes 1;
pid ${paths.admissionFolder}/nginx.pid;
# Nothing of requests, of which the edge proxy's log tells: a line here would hold a query, which some put a key into.
error_log stderr alert;

events {}

http {
${filter.program}    access_log off;
    client_body_temp_path ${paths.admissionFolder}/body;
    proxy_temp_path ${paths.admissionFolder}/proxy;
    fastcgi_temp_path ${paths.admissionFolder}/fastcgi;
    uwsgi_temp_path ${paths.admissionFolder}/uwsgi;
    scgi_temp_path ${paths.admissionFolder}/scgi;

    # An empty value is not counted.
    map $uri $copilot_slot {
        default "";
${generations.map(({ path }) => `        "~^${exactly(path)}\\z" $pid;`).join('\n')}
    }
    map "${edgeHeaders.tenant.variable}:$copilot_slot" $copilot_tenant {
        default "$pid ${edgeHeaders.tenant.variable}";
        "~^:|:\\z" "";
    }
    # What counts tokens takes no slot, and memory for a time: a few at once, of large ones fewer.
    map "$copilot_slot:$content_length" $copilot_small_counter {
        default "";
        "~^:\\d{1,${counters.smallDigits}}\\z" $pid;
    }
    map "$copilot_slot$copilot_small_counter" $copilot_large_counter {
        default "";
        "" $pid;
    }
    limit_conn_zone $copilot_slot zone=copilot_slots:1m;
    limit_conn_zone $copilot_tenant zone=copilot_slots_of_key:1m;
    limit_conn_zone $copilot_small_counter zone=copilot_small_counters:1m;
    limit_conn_zone $copilot_large_counter zone=copilot_large_counters:1m;
    limit_conn_status 429;
    limit_conn_log_level info;

    server {
        listen unix:${paths.admissionSocket};
        # How large, how long: all that the edge proxy decides.
        client_max_body_size 0;
        client_body_timeout 1h;
        send_timeout 1h;
        proxy_read_timeout ${answerTimeout(contextSize) + 60}s;
        proxy_send_timeout 1h;
        proxy_http_version 1.1;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_set_header Host localhost;
        proxy_set_header ${edgeHeaders.tenant.name} "";
        proxy_max_temp_file_size 0;
        error_page 502 @ended;

        # A request that waits inside llama-server gets no byte, and its client gives up: so nobody waits there.
        location / {
            limit_conn copilot_slots ${slots};
            limit_conn copilot_slots_of_key ${shareOf(slots)};
            limit_conn copilot_small_counters ${counters.small};
            limit_conn copilot_large_counters ${counters.large};${filter.location}
            proxy_pass http://unix:${paths.socket};
        }
        # What is read takes no slot. By this way all the same: where it is closed, nobody is served.
${uncounted.map(path => `        location = ${path} {\n            proxy_pass http://unix:${paths.socket};\n        }`).join('\n')}
        # Where there was no connection, nothing has begun: 503. Else llama-server ended while it answered.
        location @ended {
            if ($upstream_connect_time = "-") {
                return 503;
            }
            return 502;
        }
    }
}
`

/** The admission proxy's unit. Sandbox: as llama-server's. */
export const admissionUnit = () => ({
  path: paths.admissionUnit,
  mode: 0o644,
  text: `[Unit]
Description=SLM-Copilot: as many generations at once as llama-server has slots
Documentation=file:${paths.report}
ConditionPathExists=${paths.admissionConfiguration}
After=local-fs.target
# However often it ends it is started again: nobody may be there to do it.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=/usr/sbin/nginx -e stderr -c ${paths.admissionConfiguration}
WorkingDirectory=/
User=${users.web}
Group=${users.web}
UMask=0007
# Removed at each stop: nginx does not replace a socket that a dead one left.
RuntimeDirectory=${paths.admissionFolder.replace('/run/', '')}
RuntimeDirectoryMode=0750
Restart=always
RestartSec=1
OOMScoreAdjust=-500

${sandbox}

[Install]
WantedBy=multi-user.target
`,
})
