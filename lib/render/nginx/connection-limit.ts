/** The kernel's limit on new connections from one address (nftables). nginx counts a connection only once its headers are there. */
import { connectionRate, headerTimeout } from '../../appliance/nginx/edge.ts'
import { paths, ports } from '../../appliance/paths.ts'

const { perSecond, burst } = connectionRate

/**
 * A table of our own, apart from what an administrator may have. It counts beginnings, not connections: that needs no
 * connection tracking, whose table strangers can fill. nginx ends what has sent no header after a time, so the rate bounds
 * how many of those one address can have. When the sets are full, nobody is limited.
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
        tcp dport { ${tcpPorts.join(', ')} } tcp flags & (syn | ack) == syn jump beginnings
    }
    chain beginnings {
        update @addresses { ip saddr limit rate over ${perSecond}/second burst ${burst} packets } drop
        update @networks { ip6 saddr & ffff:ffff:ffff:ffff:: limit rate over ${perSecond}/second burst ${burst} packets } drop
    }
}
`

/** The file that nginx's unit loads before it starts. */
export const connectionLimit = () => ({
  path: paths.connectionLimit,
  mode: 0o644,
  text: `# Written by slm-copilot.
${connectionLimitText('slm_copilot', [ports.http, ports.https])}`,
})
