/** How many slots one tenant may take in the admission proxy. */
import { edgeHeaders } from '../../appliance/requests/api.ts'

/** Concurrent generations of one tenant: with several tenants, none may take the last slot, unless it is the only one. */
const tenantLimit = (slots: number) => Math.max(1, slots - 1)

/** The limits of single tenants that are lower: as limit_conn takes no variable, each has a zone of its own. */
const quotas = (slots: number) => Array.from({ length: tenantLimit(slots) - 1 }, (_, index) => index + 1)

/** A zone whose key is empty, so that nothing is counted, unless the tenant has just this limit. */
const quotaZone = (
  quota: number,
) => `    map "${edgeHeaders.quota.variable}:$copilot_tenant_key" $copilot_quota_${quota}_key {
        default "";
        "~^${quota}:(?<copilot_of_quota_${quota}>.+)\\z" $copilot_of_quota_${quota};
    }
    limit_conn_zone $copilot_quota_${quota}_key zone=copilot_quota_${quota}:128k;`

/** The directives of the location whose requests take slots. */
export const tenantLimits = (slots: number) =>
  [
    ...quotas(slots).map(quota => `limit_conn copilot_quota_${quota} ${quota};`),
    ...(slots > 1 ? [`limit_conn copilot_generations_per_tenant ${tenantLimit(slots)};`] : []),
  ].join('\n            ')

export const quotaZones = (slots: number) => quotas(slots).map(quotaZone)
