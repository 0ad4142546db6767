/** The admission proxy: an nginx before llama-server that admits as many concurrent generations as there are slots. */

import type { CacheSharing } from '../../appliance/nginx/cache-sharing.ts'
import { connections, counters } from '../../appliance/nginx/limits.ts'
import { admissionStatusUrl, healthUrl, paths, queueUrl } from '../../appliance/paths.ts'
import { edgeHeaders, limitHeader, metricsPath, routes } from '../../appliance/requests/api.ts'
import { companionKinds } from '../../appliance/requests/services.ts'
import { writtenAtConfigure } from '../written.ts'
import { companionLocation, companionZones } from './companions.ts'
import { countFilter } from './count-filter.ts'
import { exactly } from './syntax.ts'
import { quotaZones, tenantLimits } from './tenant-limits.ts'

type Admission = {
  slots: number
  /** Seconds that llama-server may send nothing. */
  answerTimeout: number
  cacheSharing: CacheSharing
}

const generations = routes.filter(({ isGeneration }) => isGeneration)

/** Token counts and the like, which chat's llama-server answers without a slot. */
const counts = routes.filter(
  ({ method, isGeneration, service }) => method === 'POST' && !isGeneration && service === undefined,
)

/** Paths that take no slot: those that clients may read, and the probes of watchdog and `status`, closed to clients. */
const uncounted = [
  ...new Set([healthUrl, queueUrl].map(url => new URL(url).pathname)),
  metricsPath,
  ...routes.filter(({ method }) => method === 'GET').map(({ path }) => path),
]

/**
 * The admission proxy's configuration. limit_conn counts in shared memory, where the counts of a killed
 * worker remain until nginx is restarted. Here the keys contain the worker's PID, and there is only one
 * worker, so its counts end with its connections. The edge proxy cannot do this, since a reload leaves old
 * workers running beside new ones; the admission proxy is never reloaded.
 */
export const admissionConfiguration = (admission: Admission) => ({
  path: paths.admissionConfiguration,
  mode: 0o644,
  text: configurationText(admission, admission.cacheSharing === 'shared'),
})

/** `hidesCounts`: whether answers must not say how much of a prompt was cached. */
const configurationText = ({ slots, answerTimeout }: Admission, hidesCounts: boolean) =>
  `${writtenAtConfigure}

load_module ${paths.nginxScriptModule};
daemon off;
worker_processes 1;
pid ${paths.admissionFolder}/nginx.pid;
# Nothing about requests, which the edge proxy logs: such lines contain the query string, where some clients put a key.
error_log stderr alert;

# Each request takes two.
events {
    worker_connections ${connections.worker};
}

http {
    js_import copilot from ${paths.admissionProgram};
    access_log off;
    client_body_temp_path ${paths.admissionFolder}/body;
    proxy_temp_path ${paths.admissionFolder}/proxy;
    fastcgi_temp_path ${paths.admissionFolder}/fastcgi;
    uwsgi_temp_path ${paths.admissionFolder}/uwsgi;
    scgi_temp_path ${paths.admissionFolder}/scgi;

    # Requests with an empty key are not counted (limit_conn_zone).
    map $uri $copilot_generation_key {
        default "";
${generations.map(({ path }) => `        "~^${exactly(path)}\\z" $pid;`).join('\n')}
    }
    map "${edgeHeaders.tenant.variable}:$copilot_generation_key" $copilot_tenant_key {
        default "$pid ${edgeHeaders.tenant.variable}";
        "~^:|:\\z" "";
    }
    # Counting tokens takes no slot, but memory: a few concurrent requests, and fewer large ones.
    map "$copilot_generation_key:$content_length" $copilot_small_count_key {
        default "";
        "~^:\\d{1,${counters.smallDigits}}\\z" $pid;
    }
    map "$copilot_generation_key$copilot_small_count_key" $copilot_large_count_key {
        default "";
        "" $pid;
    }
    map "${edgeHeaders.tenant.variable}:$copilot_generation_key" $copilot_tenant_count_key {
        default "";
        "~^[^:]+:\\z" "$pid ${edgeHeaders.tenant.variable}";
    }
    map "$copilot_large_count_key:$copilot_tenant_count_key" $copilot_tenant_large_count_key {
        default "";
        "~^[^:]+:." $copilot_tenant_count_key;
    }
    # nginx evaluates the key of a zone only when the zones before it have room (ngx_http_limit_conn_module): so this
    # variable is set once the tenant's own limits are passed.
    map $copilot_generation_key $copilot_slot_key {
        default "";
        "~^(?<copilot_past_tenant_limits>.+)\\z" $copilot_past_tenant_limits;
    }
    map "$status:$copilot_generation_key:$copilot_past_tenant_limits" $copilot_exceeded {
        default "";
        "~^429::" counts;
        "~^429:[^:]+:\\z" key;
        "~^429:[^:]+:." slots;
    }
    limit_conn_zone $copilot_slot_key zone=copilot_generations:1m;
    limit_conn_zone $copilot_tenant_key zone=copilot_generations_per_tenant:1m;
    limit_conn_zone $copilot_tenant_count_key zone=copilot_counts_per_tenant:1m;
    limit_conn_zone $copilot_small_count_key zone=copilot_small_counts:1m;
    limit_conn_zone $copilot_large_count_key zone=copilot_large_counts:1m;
    limit_conn_zone $copilot_tenant_large_count_key zone=copilot_large_counts_per_tenant:1m;
${[...quotaZones(slots), ...companionKinds.map(companionZones)].join('\n')}
    # Each quota and each service beside chat adds some.
    variables_hash_max_size 4096;
    limit_conn_status 429;
    limit_conn_log_level info;

    server {
        listen unix:${paths.admissionSocket};
        # The edge proxy limits the size.
        client_max_body_size 0;
        client_body_timeout 1h;
        send_timeout 1h;
        # A slot is free with the last byte of its answer. By default nginx waits until the edge proxy has closed the connection,
        # which may be after its client has sent the next request.
        lingering_close off;
        # Later than the edge proxy, whose error message is the one for clients.
        proxy_read_timeout ${answerTimeout + 60}s;
        proxy_send_timeout 1h;
        proxy_http_version 1.1;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_set_header Host localhost;
        proxy_set_header ${edgeHeaders.tenant.name} "";
        proxy_set_header ${edgeHeaders.quota.name} "";
        add_header ${limitHeader.name} $copilot_exceeded always;
        proxy_max_temp_file_size 0;
        error_page 502 @ended;

        # A request that queues inside llama-server receives no byte until its client times out: so none may queue.
        location / {
            # While the VM drains, requests in progress are finished, and no new ones accepted.
            if (-f ${paths.draining}) {
                return 503;
            }
            ${tenantLimits(slots)}
            limit_conn copilot_generations ${slots};${hidesCounts ? countFilter : ''}
            proxy_pass http://unix:${paths.socket};
        }
        location ~ ^(${counts.map(({ path }) => exactly(path)).join('|')})\\z {
            if (-f ${paths.draining}) {
                return 503;
            }
            limit_conn copilot_counts_per_tenant ${counters.tenant};
            limit_conn copilot_small_counts ${counters.small};
            limit_conn copilot_large_counts_per_tenant ${counters.largeOfTenant};
            limit_conn copilot_large_counts ${counters.large};
            # llama-server goes on counting even if the client has gone: until it has ended, the request is in progress.
            proxy_ignore_client_abort on;
            proxy_pass http://unix:${paths.socket};
        }${companionKinds.map(kind => companionLocation(kind, hidesCounts)).join('')}
        # No slot is needed. The watchdog uses one of these to see whether the admission proxy works.
${uncounted.map(path => `        location = ${path} {\n            proxy_pass http://unix:${paths.socket};\n        }`).join('\n')}
        location = ${new URL(admissionStatusUrl).pathname} {
            stub_status;
        }
        # 503 where llama-server did not accept the connection; 502 where it ended while it was answering.
        location @ended {
            if ($upstream_connect_time = "-") {
                return 503;
            }
            return 502;
        }
    }
}
`
