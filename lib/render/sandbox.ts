/** The sandbox of a service that needs nothing but unix sockets: no network, no devices, nothing writable of its own accord. */

/** Lines of a unit's [Service] section (systemd.exec(5)). `systemd-analyze security`: 0.2. */
export const sandbox = `PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
IPAddressDeny=any

CapabilityBoundingSet=
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
PrivateUsers=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources`
