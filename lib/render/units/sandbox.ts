/** Sandboxing directives for a unit's [Service] section (systemd.exec(5)). */

/** Denies what none of our units needs, including core dumps, which would write keys and prompts to disk. */
export const hardening = `LimitCORE=0
LockPersonality=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service`

/** For services that need only unix sockets: no network, nothing writable. `systemd-analyze security` rates it 0.2. */
export const sandbox = `${hardening}
SystemCallFilter=~@privileged @resources
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
IPAddressDeny=any
CapabilityBoundingSet=
MemoryDenyWriteExecute=yes
PrivateUsers=yes
ProcSubset=pid
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes`

/** For units that run the stages: write settings, have systemd restart services, run nginx -t, certbot and useradd. */
export const stagesSandbox = `ProtectSystem=strict
ReadWritePaths=/etc /opt/slm-copilot /run /var
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID CAP_SYS_PTRACE
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
${hardening}`
