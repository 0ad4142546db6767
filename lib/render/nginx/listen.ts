/** Where the edge proxy's servers listen. */

/** One `listen` line, or two if the machine has IPv6. TCP keepalive detects a vanished peer within two minutes. */
export const listen = (port: number, hasIpv6: boolean, options = '') =>
  [port, ...(hasIpv6 ? [`[::]:${port}`] : [])]
    .map(address => `listen ${address}${options} default_server so_keepalive=60s:20s:3;`)
    .join('\n    ')
