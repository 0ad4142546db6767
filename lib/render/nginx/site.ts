/** The values from which both of the edge proxy's servers are rendered. */
import type { NamedKey } from '../../appliance/context/values.ts'
import type { CacheSharing } from '../../appliance/nginx/cache-sharing.ts'

export type Site = {
  keys: NamedKey[]
  cacheSharing: CacheSharing
  hasIpv6: boolean
  /** Whether nginx has a directive for HTTP/2, instead of a parameter of `listen`. */
  hasHttp2Directive: boolean
  /** Seconds that llama-server may send nothing. */
  answerTimeout: number
  /** Maximum bytes of a request's body. */
  bodyLimit: number
}

/** One `listen` line, or two if the machine has IPv6. TCP keepalive detects a vanished peer within two minutes. */
export const listen = (port: number, hasIpv6: boolean, options = '') =>
  [port, ...(hasIpv6 ? [`[::]:${port}`] : [])]
    .map(address => `listen ${address}${options} default_server so_keepalive=60s:20s:3;`)
    .join('\n    ')
