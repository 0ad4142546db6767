/** The limit on new connections per address (nftables); nginx counts a connection only once it has received headers. */
import { connectionRate, headerTimeout } from '../../appliance/nginx/limits.ts'
import { paths, ports } from '../../appliance/paths.ts'

const { perSecond, burst } = connectionRate

/**
 * A separate table, which leaves an administrator's rules alone. It limits the rate of new connections, not
 * their number, which would need connection tracking, whose table an attacker can fill. nginx closes
 * connections that send no headers, so the rate bounds how many of them one address can hold. When the sets
 * are full, nothing is limited.
 */
export const connectionLimitText = (table: string, tcpPorts: readonly number[]) => `\
table inet ${table}
delete table inet ${table}
table inet ${table} {
    set addresses {
        type ipv4_addr
        flags dynamic
        timeout ${2 * headerTimeout}s
        size 65535
    }
    set networks {
        type ipv6_addr
        flags dynamic
        timeout ${2 * headerTimeout}s
        size 65535
    }
    chain input {
        type filter hook input priority 0; policy accept;
        tcp dport { ${tcpPorts.join(', ')} } tcp flags & (syn | ack) == syn jump new_connections
    }
    chain new_connections {
        update @addresses { ip saddr limit rate over ${perSecond}/second burst ${burst} packets } drop
        update @networks { ip6 saddr & ffff:ffff:ffff:ffff:: limit rate over ${perSecond}/second burst ${burst} packets } drop
    }
}
`

/** The rules, which nginx's unit loads before nginx starts. */
export const connectionLimit = () => ({
  path: paths.connectionLimit,
  mode: 0o644,
  text: `# Written by slm-copilot.
${connectionLimitText('slm_copilot', [ports.http, ports.https])}`,
})
