/** What a copilot's edge proxy takes from a router of its fleet: for whom it asks, their salt, and the request's id. */
import { fleetHeaders } from '../../appliance/fleet/headers.ts'
import { noServices, servicesText } from '../../appliance/fleet/services.ts'
import type { CacheSharing } from '../../appliance/nginx/cache-sharing.ts'
import type { Site } from './site.ts'
import { entries, exactly, headerEnd } from './syntax.ts'
import { saltOf } from './tenants.ts'

const routerPattern = (key: string) => `"~^(?i:bearer) +${exactly(key)}${headerEnd}" router;`

type FleetSite = Pick<Site, 'role' | 'fleetKey' | 'cacheSharing'> & {
  settings: Pick<Site['settings'], 'companions'>
}

/**
 * A router has verified the tenant's key, and does not pass it on. Its headers count only beside the fleet's key: no
 * one else can speak for a tenant, and a request of the router's that names none is rejected. Whether tenants share a
 * cache is up to this VM, which then hides from all what was cached. A router takes no requests from routers.
 */
export const fleetMaps = (site: FleetSite) =>
  mapsFor(site.role === 'router' ? undefined : site.fleetKey, site.cacheSharing, servicesOf(site))

const servicesOf = ({ settings: { companions } }: FleetSite) =>
  servicesText(Object.fromEntries(Object.entries(companions).map(([kind, { model }]) => [kind, model])))

const statedSalt = (fleetKey: string) => [
  '"~^router:(?<copilot_stated_salt>[A-Za-z]{12})\\z" $copilot_stated_salt;',
  `"~^router:" ${saltOf(fleetKey)};`,
]

const mapsFor = (fleetKey: string | undefined, cacheSharing: CacheSharing, services: string) => `\
# A router of the fleet, and the tenant, salt and request id that it states.
map $http_authorization $copilot_router {
    default "";${fleetKey === undefined ? '' : entries([routerPattern(fleetKey)])}
}
map "$copilot_router:${fleetHeaders.tenant.variable}" $copilot_fleet_tenant {
    default "";
    "~^router:(?<copilot_stated_tenant>[A-Za-z0-9._-]{1,32})\\z" $copilot_stated_tenant;
}
map "$copilot_router:${fleetHeaders.salt.variable}" $copilot_tenant_salt {
    default $copilot_own_salt;${fleetKey === undefined || cacheSharing === 'shared' ? '' : entries(statedSalt(fleetKey))}
}
map "$copilot_router:${fleetHeaders.id.variable}" $copilot_request_id {
    default $request_id;
    "~^router:(?<copilot_stated_id>[0-9a-f]{32})\\z" $copilot_stated_id;
}
# Why a request of a router is refused.
map "$copilot_router:$upstream_status:$upstream_http_x_copilot_limit" $copilot_fleet_refusal {
    default "";
    "~^router:502:" ended;
    "~^router:503:" busy;
    "router:429:slots" busy;
}
# The services beside chat, for a router to which this VM was named by hand.
map "$copilot_router:$uri" $copilot_fleet_services {
    default "";${fleetKey === undefined ? '' : entries([`"router:/props" "${services || noServices}";`])}
}
`
