/**
 * The services beside chat in the admission proxy: their limits, and where their requests go. All of them, whether this VM
 * has them or not, so that adding or removing one restarts no admission proxy, which would end the streams of chat. The
 * edge proxy passes on only what is for a service that there is.
 */
import { companionLimits } from '../../appliance/nginx/limits.ts'
import { modelServices, paths } from '../../appliance/paths.ts'
import { edgeHeaders, limitHeader, partsLocation } from '../../appliance/requests/api.ts'
import { type CompanionKind, prefixOf } from '../../appliance/requests/services.ts'
import { largestRequest } from '../../appliance/requests/size.ts'
import { bodyBufferSize } from './body-buffer.ts'
import { countFilter } from './count-filter.ts'
import { exactly } from './syntax.ts'

/** For one service beside chat: a zone for all its requests, and one for those of each tenant. */
export const companionZones = (kind: CompanionKind) => `    map $uri $copilot_${kind}_key {
        default "";
        "~^${exactly(prefixOf(kind))}/" $pid;
    }
    map "$copilot_${kind}_key:${edgeHeaders.tenant.variable}" $copilot_${kind}_tenant_key {
        default "";
        "~^[^:]+:." "$pid ${edgeHeaders.tenant.variable}";
    }
    limit_conn_zone $copilot_${kind}_key zone=copilot_${kind}:128k;
    limit_conn_zone $copilot_${kind}_tenant_key zone=copilot_${kind}_per_tenant:1m;`

/**
 * Requests of a service beside chat, under a prefix of their own. A few may wait inside llama-server, since each is answered
 * soon. None has a conversation ID: llama-server would finish a stream whose client has gone (server-stream.cpp), so that one
 * key could leave more behind than it may have in progress.
 */
export const companionLocation = (kind: CompanionKind, hidesCounts: boolean) =>
  kind === 'completion'
    ? limitedLocation(kind, `${hidesCounts ? countFilter : ''}${toService(kind)}`)
    : `${limitedLocation(kind, inParts)}${partLocation(kind)}`

const limitedLocation = (kind: CompanionKind, content: string) => `
        location ${prefixOf(kind)}/ {
            if (-f ${paths.draining}) {
                return 503;
            }
            limit_conn copilot_${kind} ${companionLimits[kind].all};
            limit_conn copilot_${kind}_per_tenant ${companionLimits[kind].tenant};
            add_header ${limitHeader.name} service always;${content}
        }`

const toService = (kind: CompanionKind) => `
            proxy_set_header Host localhost;
            proxy_set_header ${edgeHeaders.tenant.name} "";
            proxy_pass http://unix:${modelServices[kind].socket}:/;`

/** Many texts are sent in parts: in one request, others would have to wait for all of them. */
const inParts = `
            client_body_buffer_size ${bodyBufferSize(largestRequest)};
            client_body_in_single_buffer on;
            js_content copilot.inParts;`

/** The vectors of a part may take megabytes. */
const partLocation = (kind: CompanionKind) => `
        location ${partsLocation}${prefixOf(kind)}/ {
            internal;
            subrequest_output_buffer_size 8m;${toService(kind)}
        }`
