/** What the appliance adds to Debian's nginx.service: a sandbox, and life after death. */
import { connections } from '../../appliance/nginx/edge.ts'
import { paths } from '../../appliance/paths.ts'
import { hardening } from './sandbox.ts'

const nginx = `/usr/sbin/nginx -c ${paths.edgeConfiguration} -g 'daemon on; master_process on;'`

/** The drop-in. nginx's master is root, to bind 80 and 443 and to read keys; it keeps what it needs for that. */
export const nginxDropIn = () => ({
  path: paths.nginxDropIn,
  mode: 0o644,
  text: `# Written by slm-copilot.
[Unit]
# Until the first configure there is nothing to start it with: Restart= would try again each second.
ConditionPathExists=${paths.edgeConfiguration}
# However often it ends it is started again: nobody may be there to do it.
StartLimitIntervalSec=0

[Service]
# A configuration of our own; signals, logrotate's among them, find nginx by the same pid file as before.
ExecStartPre=
# As root, outside the sandbox. A kernel that cannot do it says so in the journal, and nginx starts.
ExecStartPre=-+/usr/sbin/nft -f ${paths.connectionLimit}
ExecStartPre=${nginx} -t -q
ExecStart=
ExecStart=${nginx}
ExecReload=
ExecReload=${nginx} -s reload
LimitNOFILE=${connections.descriptors}
Restart=always
RestartSec=1
# Only its pid file, logs, and folders for bodies.
ProtectSystem=strict
ReadWritePaths=/run /var/log/nginx /var/lib/nginx
UMask=0077
# Ports below 1024; workers of another user, told by signals; logs that belong to them.
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
