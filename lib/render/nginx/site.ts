/** The values from which the edge proxy's configuration and program are rendered. */
import type { NamedKey } from '../../appliance/context/values.ts'
import type { Role } from '../../appliance/fleet/backends.ts'
import type { CacheSharing } from '../../appliance/nginx/cache-sharing.ts'
import type { EdgeSettings } from '../../appliance/requests/edge-settings.ts'
import type { LogFormat } from '../../appliance/usage/log-format.ts'

export type Site = {
  role: Role
  keys: NamedKey[]
  cacheSharing: CacheSharing
  logFormat: LogFormat
  /** Opens the metrics, and nothing else. */
  metricsKey: string | undefined
  /** By which requests of a fleet's router are recognised; on a router, the key that it sends, and does not accept. */
  fleetKey: string | undefined
  hasIpv6: boolean
  /** Whether nginx has a directive for HTTP/2, instead of a parameter of `listen`. */
  hasHttp2Directive: boolean
  /** Concurrent requests with a body, per key and nginx worker. */
  requestsOfKey: number
  settings: EdgeSettings
}

/** One `listen` line, or two if the machine has IPv6. TCP keepalive detects a vanished peer within two minutes. */
export const listen = (port: number, hasIpv6: boolean, options = '') =>
  [port, ...(hasIpv6 ? [`[::]:${port}`] : [])]
    .map(address => `listen ${address}${options} default_server so_keepalive=60s:20s:3;`)
    .join('\n    ')
