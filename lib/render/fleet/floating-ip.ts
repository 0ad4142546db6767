/** keepalived(8) on a router with a floating address: its configuration (keepalived.conf(5)), its unit and its check. */
import { admissionStatusUrl, paths, ports, units, users } from '../../appliance/paths.ts'
import { hardening } from '../units/sandbox.ts'
import { written, writtenAtConfigure } from '../written.ts'

/** An address, and the interface that takes it. */
export type FloatingAddress = { address: string; device: string }

/**
 * What tells the groups of routers in a network apart, 1 to 255: the last byte of the address, so that both routers know
 * it. Should two groups have the same, each ignores the other, which announces other addresses.
 */
export const groupNumber = (address: string): number => {
  const last = address.includes(':')
    ? Number.parseInt(address.split(':').at(-1) || '0', 16)
    : Number(address.split('.').at(-1))
  return last % 256 || 255
}

const line = ({ address, device }: FloatingAddress) => `        ${address} dev ${device}`

/**
 * Both routers have the same configuration, and neither takes the address from the other as long as both answer: a router
 * that comes back interrupts nothing. One that does not answer yields to one that does; if none does, the address stays,
 * so that clients get an error rather than silence. By multicast, so that neither needs the other's address.
 */
const configuration = (first: FloatingAddress, others: FloatingAddress[]) => `${writtenAtConfigure}
global_defs {
    vrrp_version 3
    enable_script_security
    script_user ${users.web}
}
vrrp_script answers {
    script ${paths.floatingCheck}
    interval 1
    timeout 5
    fall 3
    rise 2
    weight -50
    init_fail
}
vrrp_instance floating_ip {
    state BACKUP
    interface ${first.device}
    virtual_router_id ${groupNumber(first.address)}
    priority 100
    advert_int 1
    virtual_ipaddress {
${line(first)}
    }${
      others.length === 0
        ? ''
        : `
    # Of the other family, which cannot be announced together with the first.
    virtual_ipaddress_excluded {
${others.map(line).join('\n')}
    }`
    }
    track_script {
        answers
    }
}
`

/** The configuration, if there is an address to take. */
export const floatingConfiguration = ([first, ...others]: FloatingAddress[]) =>
  first === undefined
    ? ({ path: paths.floatingConfiguration, absent: true } as const)
    : { path: paths.floatingConfiguration, mode: 0o644, text: configuration(first, others) }

/** Written so that it answers in milliseconds: keepalived runs it every second. */
const check = () => `#!/bin/sh
${written}
# Fails if HAProxy or nginx does not answer, or if this router has been drained: then another one takes the floating address.
# Until it has been drained, it keeps it, and so its clients' connections.
status=$(curl --disable --silent --fail --fail-early --max-time 2 --unix-socket ${paths.admissionSocket} ${admissionStatusUrl} \\
    --next --silent --max-time 2 --output /dev/null http://127.0.0.1:${ports.http}/) || exit 1
[ -e ${paths.draining} ] || exit 0
# The request for the status is one itself.
case $status in *'Writing: 1 '*) exit 1 ;; esac
`

/** Its check, and the unit, which does not start without a configuration. Debian's own unit is disabled. */
export const floatingIpUnit = () => [
  { path: paths.floatingCheck, mode: 0o755, text: check() },
  {
    path: paths.floatingUnit,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: hold the fleet's floating address, unless another router does
Documentation=file:${paths.report}
ConditionPathExists=${paths.floatingConfiguration}
# At shutdown, the address goes to the other router before this one stops answering.
After=network-online.target ${units.nginx} ${units.router}
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
# Only VRRP: no load balancer in the kernel, no health checks.
ExecStart=/usr/sbin/keepalived --vrrp -n --use-file ${paths.floatingConfiguration} --pid ${paths.floatingFolder}/keepalived.pid --vrrp_pid ${paths.floatingFolder}/vrrp.pid
Restart=always
RestartSec=1
RuntimeDirectory=${paths.floatingFolder.replace('/run/', '')}
RuntimeDirectoryMode=0700
OOMScoreAdjust=-500
# To add an address, to announce it, and to run the check as another user.
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_SETUID CAP_SETGID CAP_KILL
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_UNIX
ProtectSystem=strict
${hardening}
MemoryDenyWriteExecute=yes
ProtectProc=invisible
RemoveIPC=yes

[Install]
WantedBy=multi-user.target
`,
  },
]
