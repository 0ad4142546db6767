/** The drop-in for Debian's nginx.service: the appliance's configuration, a sandbox, and unlimited restarts. */
import { connections } from '../../appliance/nginx/limits.ts'
import { paths } from '../../appliance/paths.ts'
import { written } from '../written.ts'
import { hardening } from './sandbox.ts'

const nginx = `/usr/sbin/nginx -c ${paths.edgeConfiguration} -g 'daemon on; master_process on;'`

/** nginx's master process runs as root, to bind ports 80 and 443 and read keys, with no further capabilities. */
export const nginxDropIn = () => ({
  path: paths.nginxDropIn,
  mode: 0o644,
  text: `${written}
[Unit]
# Until the first configure there is no configuration, and Restart= would try again each second.
ConditionPathExists=${paths.edgeConfiguration}
# Restarted however often it fails, also when no administrator is around.
StartLimitIntervalSec=0

[Service]
# The appliance's own configuration, with Debian's PID file, by which logrotate signals nginx.
ExecStartPre=
# As root, outside the sandbox. Where the kernel has no nftables, the journal says so, and nginx starts without the limit.
ExecStartPre=-+/usr/sbin/nft -f ${paths.connectionLimit}
ExecStartPre=${nginx} -t -q
ExecStart=
ExecStart=${nginx}
ExecReload=
ExecReload=${nginx} -s reload
LimitNOFILE=${connections.descriptors}
Restart=always
RestartSec=1
# For its PID file, its logs, and temporary bodies.
ProtectSystem=strict
ReadWritePaths=/run /var/log/nginx /var/lib/nginx
UMask=0077
# To bind ports below 1024, to run and signal workers of another user, and to open their logs.
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID CAP_KILL CAP_CHOWN CAP_DAC_OVERRIDE
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
${hardening}
SystemCallFilter=~@resources @keyring
MemoryDenyWriteExecute=yes
PrivateMounts=yes
ProcSubset=pid
ProtectProc=invisible
RemoveIPC=yes
`,
})
