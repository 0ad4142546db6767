/** The gate: a small nginx between the door and llama-server that admits as many generations as there are slots. */
import { doorErrors, doorHeaders } from '../appliance/api.ts'
import { paths, users } from '../appliance/paths.ts'
import { errorLocation, errorMap } from './nginx-errors.ts'
import { sandbox } from './sandbox.ts'

/** A key's most generations at once: where there are several keys none may take the last slot of all. */
const shareOf = (slots: number) => Math.max(1, slots - 1)

/**
 * Its configuration. limit_conn counts in shared memory, where the counts of a worker killed with -9 stay until nginx is
 * started anew. Here each worker has counts of its own, and one worker is all there is: its connections and its counts
 * end together. The door cannot count so, since a reload leaves old workers beside the new ones; the gate never reloads.
 */
export const gateConfiguration = (slots: number) => ({
  path: paths.gateConfiguration,
  mode: 0o644,
  text: `# Written by slm-copilot at every configure: changes made here are lost.

daemon off;
worker_processes 1;
pid ${paths.gateFolder}/nginx.pid;
# The door's log tells of requests.
error_log stderr crit;

events {}

http {
    access_log off;
    client_body_temp_path ${paths.gateFolder}/body;
    proxy_temp_path ${paths.gateFolder}/proxy;
    fastcgi_temp_path ${paths.gateFolder}/fastcgi;
    uwsgi_temp_path ${paths.gateFolder}/uwsgi;
    scgi_temp_path ${paths.gateFolder}/scgi;

    map ${doorHeaders.sharer.variable} $copilot_sharer {
        default "$pid ${doorHeaders.sharer.variable}";
        "" "";
    }
    limit_conn_zone $pid zone=copilot_slots:1m;
    limit_conn_zone $copilot_sharer zone=copilot_slots_of_key:1m;
    limit_conn_status 429;
    limit_conn_log_level info;

${errorMap('busy', doorErrors.busy)}${errorMap('unavailable', doorErrors.unavailable)}
    server {
        listen unix:${paths.gateSocket};
        # How large, how long: all that the door decides.
        client_max_body_size 0;
        client_body_timeout 1h;
        send_timeout 1h;
        proxy_read_timeout 1h;
        proxy_send_timeout 1h;
        proxy_http_version 1.1;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_set_header Host localhost;
        proxy_set_header ${doorHeaders.sharer.name} "";
        error_page 429 @busy;
        error_page 502 504 =503 @unavailable;

        # A request that waits inside llama-server gets no byte, and its client gives up: so nobody waits there.
        location / {
            limit_conn copilot_slots ${slots};
            limit_conn copilot_slots_of_key ${shareOf(slots)};
            proxy_pass http://unix:${paths.socket};
        }
${errorLocation('busy', 429)}${errorLocation('unavailable', 503)}
    }
}
`,
})

/** The gate's unit. Sandbox: as llama-server's. */
export const gateUnit = () => ({
  path: paths.gateUnit,
  mode: 0o644,
  text: `[Unit]
Description=SLM-Copilot: as many generations at once as llama-server has slots
Documentation=file:${paths.report}
ConditionPathExists=${paths.gateConfiguration}
After=local-fs.target

[Service]
Type=exec
ExecStart=/usr/sbin/nginx -e stderr -c ${paths.gateConfiguration}
WorkingDirectory=/
User=${users.web}
Group=${users.web}
UMask=0007
# Removed at each stop: nginx does not replace a socket that a dead one left.
RuntimeDirectory=${paths.gateFolder.replace('/run/', '')}
RuntimeDirectoryMode=0750
Restart=on-failure
RestartSec=1
OOMScoreAdjust=-500

${sandbox}

[Install]
WantedBy=multi-user.target
`,
})
