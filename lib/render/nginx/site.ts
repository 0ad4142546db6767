/** What both of the edge proxy's servers are rendered from. */
import type { NamedKey } from '../../appliance/context/values.ts'
import type { CacheSharing } from '../../appliance/nginx/cache-sharing.ts'

export type Site = {
  keys: NamedKey[]
  cacheSharing: CacheSharing
  hasIpv6: boolean
  /** Whether nginx has a directive for HTTP/2; else it is a parameter of `listen`. */
  hasHttp2Directive: boolean
  /** Tokens that one conversation may hold. */
  contextSize: number
  /** Bytes of the largest request. */
  bodyLimit: number
}

/** One `listen` line, or two where the machine has IPv6. TCP keepalive notices a peer that vanished within two minutes. */
export const listen = (port: number, hasIpv6: boolean, options = '') =>
  [port, ...(hasIpv6 ? [`[::]:${port}`] : [])]
    .map(address => `listen ${address}${options} default_server so_keepalive=60s:20s:3;`)
    .join('\n    ')
