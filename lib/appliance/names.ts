/** The names and addresses by which clients reach the appliance. */

export type Names = {
  /** DNS names, the preferred one first. */
  dns: string[]
  /** IPv4 addresses, then IPv6 ones, loopback last. */
  ip: string[]
}

export type Reachable = { hostname: string; addresses: string[] }

const ipv4First = (addresses: string[]) =>
  addresses.toSorted((a, b) => Number(a.includes(':')) - Number(b.includes(':')))

/** Everything that a client on this machine or elsewhere may put in its URL. */
export function namesOf({ hostname, addresses }: Reachable, domain: string | undefined): Names {
  const dns = [domain, hostname.toLowerCase(), 'localhost'].filter(name => name !== undefined)
  return { dns: [...new Set(dns)], ip: [...ipv4First(addresses), '127.0.0.1', '::1'] }
}

/**
 * The names to show to people: the domain if there is one, then the addresses, then the host's name. For a router with
 * floating addresses, these in place of its own, since clients must find the other router, too.
 */
export const endpointsOf = (
  { addresses, hostname }: Reachable,
  domain: string | undefined,
  floating: string[] = [],
): string[] => {
  const own = floating.length > 0 ? floating : [...ipv4First(addresses), hostname]
  return [...new Set([...(domain === undefined ? [] : [domain]), ...own])]
}

/** A name or address as URLs have it: an IPv6 address in brackets. */
export const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** The appliance's origin at a name or address, which may have a port. */
export const originOf = (endpoint: string): string =>
  `https://${endpoint.split(':').length > 2 && !endpoint.startsWith('[') ? hostInUrl(endpoint) : endpoint}`

/** The base URL of the OpenAI API there. */
export const endpointUrl = (endpoint: string): string => `${originOf(endpoint)}/v1`

/** The host of an https URL, without brackets, and its port. */
export const hostAndPort = ({ hostname, port }: URL): { host: string; port: number } => ({
  host: hostname.replace(/^\[|\]$/g, ''),
  port: port === '' ? 443 : Number(port),
})
