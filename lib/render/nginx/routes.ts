/** The locations that proxy to llama-server: GET requests directly, requests with a body through the filter. */
import { fleetHeaders } from '../../appliance/fleet/headers.ts'
import { sendTimeouts } from '../../appliance/nginx/limits.ts'
import { paths } from '../../appliance/paths.ts'
import {
  checkLocation,
  edgeHeaders,
  finalStatuses,
  metricsLocation,
  metricsPath,
  mostAttempts,
  type Route,
  routes,
  routingHeaders,
  unsupportedLocation,
} from '../../appliance/requests/api.ts'
import { bodyBufferSize } from './body-buffer.ts'
import { generationErrors, readErrors } from './errors.ts'
import { bodyRateLimit } from './request-rate.ts'
import type { Site } from './site.ts'
import { exactly } from './syntax.ts'

const pathsOf = (wanted: Route['method']) =>
  routes.filter(({ method }) => method === wanted).map(({ path }) => path)
const getPaths = ['/health', ...pathsOf('GET')]
const postPaths = pathsOf('POST').map(exactly)

/** Balancers stop sending requests to a VM that is being drained; no reload is needed to begin it. */
const unlessDraining = `
        if (-f ${paths.draining}) {
            return 503;
        }`

/** Other methods are an error. A return would take effect before the limits on requests. GET includes HEAD. */
const only = (method: Route['method']) => `limit_except ${method} {
            deny all;
        }`

/** Passes on the path that matched, never the client's spelling of it: llama-server may resolve `..` differently. */
const getRoute = (path: string) => `
    location = ${path} {
        ${only('GET')}${path === '/health' ? unlessDraining : ''}
        ${readErrors}
        proxy_method GET;
        proxy_pass http://slm_copilot_admission${path};
    }`

/** The whole body is read into memory, and sent on as rewritten by the filter. */
const postRoutes = (site: Site, handler: 'filter' | 'route') => `
    location ~ ^(${postPaths.join('|')})\\z {
        ${only('POST')}
        if ($copilot_is_unsupported_media_type) {
            rewrite ^ ${unsupportedLocation} last;
        }
        ${bodyRateLimit(site)}
        limit_conn copilot_requests_per_tenant ${site.requestsOfKey};
        limit_conn_status 429;
        client_max_body_size ${site.settings.bodyLimit};
        client_body_buffer_size ${bodyBufferSize(site.settings.bodyLimit)};
        client_body_in_single_buffer on;
        js_content copilot.${handler};
    }`

/**
 * A client that reads nothing loses its slot. Over HTTP/2 this shows once its 64 KB window is full; one that reads 300 bytes
 * a second, about one token, is not cut off. Over HTTP/1.1 the kernel buffers megabytes, and the slot is free when the
 * answer ends.
 */
const stalledClientTimeout = `send_timeout ${sendTimeouts.generated}s;`

const filteredBody = `proxy_set_header Host localhost;
        proxy_set_header Content-Type application/json;
        proxy_set_body $copilot_filtered_body;`

/** What requests to all model services have in common. */
const filteredRequest = `${stalledClientTimeout}
        ${generationErrors}
        js_header_filter copilot.rewriteErrorHeaders;
        js_body_filter copilot.rewriteErrorBody buffer_type=buffer;
        ${filteredBody}`

/** Whose slots are counted: only if there are several tenants, of whom none may take the last one. */
const countedTenant = (keys: Site['keys']) => (keys.length > 1 ? '$copilot_own_tenant' : '""')

/** Behind a router's key there are several tenants, too; the router's proxies count only what one asks of all copilots. */
const companionTenant = (cacheSharing: Site['cacheSharing']) =>
  cacheSharing === 'one-key' ? '""' : '$copilot_tenant'

/** Where the filter sends its requests. */
const filteredRequests = ({ keys, cacheSharing }: Site) => `
    location @llama {
        ${filteredRequest}
        proxy_set_header ${edgeHeaders.tenant.name} ${countedTenant(keys)};
        proxy_set_header ${edgeHeaders.quota.name} $copilot_quota;
        proxy_pass http://slm_copilot_admission$uri;
    }
    # The services beside chat.
    location @companion {
        ${filteredRequest}
        proxy_set_header ${edgeHeaders.tenant.name} ${companionTenant(cacheSharing)};
        proxy_pass http://slm_copilot_admission/$copilot_service$uri;
    }
    location @failed {
        js_content copilot.explainFailure;
    }
    location ~ ^${checkLocation}(?<copilot_checked_path>/.*)\\z {
        internal;
        # nginx holds the body that it has read against this location's limit, too.
        client_max_body_size 0;
        ${filteredBody}
        proxy_set_header ${edgeHeaders.tenant.name} ${companionTenant(cacheSharing)};
        proxy_pass http://slm_copilot_admission$copilot_checked_path;
    }`

/** Seconds that a scrape waits for llama-server, which answers only between batches. */
const metricsTimeout = 2

/** The metrics, and what a scrape asks: the status of both proxies, and llama-server's health and metrics. */
const metricsRoutes = `
    location = ${metricsPath} {
        ${only('GET')}
        subrequest_output_buffer_size 64k;
        js_content copilot.metrics;
    }
    location = ${metricsLocation}/edge {
        internal;
        stub_status;
    }
    location ~ ^${metricsLocation}(?<copilot_asked_path>/(metrics|health|admission-status))\\z {
        internal;
        subrequest_output_buffer_size 64k;
        proxy_method GET;
        proxy_read_timeout ${metricsTimeout}s;
        proxy_pass http://slm_copilot_admission$copilot_asked_path;
    }`

/** Where a router's requests go: with the fleet's key in place of the client's, and whose request it is. */
const routedRequests = ({ fleetKey = '', keys }: Site) => `
    location @fleet {${unlessDraining}
        ${stalledClientTimeout}
        proxy_intercept_errors on;
        # 401 if a copilot does not accept the fleet's key.
        error_page 401 502 503 =503 @error;
        error_page 429 504 @error;
        error_page ${finalStatuses.noService} =404 @error;
        error_page ${finalStatuses.full} =429 @error;
        error_page ${finalStatuses.none} =503 @error;
        # A copilot that is full, loading or lost is passed over, before the first byte.
        proxy_next_upstream error http_502 http_503 http_429 non_idempotent;
        proxy_next_upstream_tries ${mostAttempts};
        js_body_filter copilot.timeFirstByte buffer_type=buffer;
        # As it is: each copy would be kept until the answer ends.
        proxy_pass_request_body on;
        proxy_set_header Host localhost;
        proxy_set_header Content-Type application/json;
        ${fleetIdentity(fleetKey)}
        proxy_set_header ${edgeHeaders.tenant.name} ${countedTenant(keys)};
        proxy_set_header ${edgeHeaders.quota.name} $copilot_quota;
        proxy_set_header ${routingHeaders.session} $copilot_session;
        proxy_set_header ${routingHeaders.model} $copilot_model;
        proxy_set_header ${routingHeaders.service} $copilot_service;
        proxy_pass http://slm_copilot_admission$uri;
    }`

const fleetIdentity = (fleetKey: string) => `proxy_set_header Authorization "Bearer ${fleetKey}";
        proxy_set_header ${fleetHeaders.tenant.name} $copilot_tenant;
        proxy_set_header ${fleetHeaders.salt.name} $copilot_tenant_salt;
        proxy_set_header ${fleetHeaders.id.name} $request_id;`

/** All locations of a router that are not the same on every appliance. */
export const fleetRoutes = (site: Site) => `${['/health', metricsPath].map(getRoute).join('\n')}
    location = /props {
        ${only('GET')}
        ${readErrors}
        proxy_method GET;
        ${fleetIdentity(site.fleetKey ?? '')}
        proxy_pass http://slm_copilot_admission/props;
    }
    location = /v1/models {
        ${only('GET')}
        alias ${paths.fleetModels};
        default_type application/json;
    }
    location ~ ^/v1/models/. {
        ${only('GET')}
        js_content copilot.model;
    }
${postRoutes(site, 'route')}
${routedRequests(site)}`

/** All locations that proxy to llama-server. */
export const llamaRoutes = (site: Site) => `${getPaths.map(getRoute).join('\n')}
    location ~ ^/v1/models/. {
        ${only('GET')}
        js_content copilot.model;
    }
${metricsRoutes}
${postRoutes(site, 'filter')}

${filteredRequests(site)}`
