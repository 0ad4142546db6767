/** Forwarding of logs: rsyslogd(8) with a configuration and a unit of its own, beside Debian's, which stays off. */
import type { Context } from '../../appliance/context/context.ts'
import type { SyslogReceiver } from '../../appliance/context/values.ts'
import { paths, units } from '../../appliance/paths.ts'
import { written, writtenAtConfigure } from '../written.ts'
import { hardening } from './sandbox.ts'

/** Services that know nothing of requests, so that their own warnings may be forwarded. */
const forwardedUnits = [units.certbot, units.clock]

const oneOf = (property: string, names: string[]) =>
  names.map(name => `${property} == "${name}"`).join(' or\n    ')

/**
 * Sent with TLS and the receiver's name verified (RFC 5425). Messages wait in files, also across restarts, until it
 * has taken them; beyond the files' limit they are dropped, and nothing else ever waits for it.
 */
const forwarding = ({ host, port }: SyslogReceiver) => `ruleset(name="forward") {
  action(
    name="forward" type="omfwd" template="RSYSLOG_SyslogProtocol23Format"
    target="${host}" port="${port}" protocol="tcp" tcp_framing="octet-counted" keepAlive="on"
    streamDriver="gtls" streamDriverMode="1" streamDriverAuthMode="x509/name" streamDriverPermittedPeers="${host}"
    streamDriver.permitExpiredCerts="off" streamDriver.prioritizeSAN="on"
    action.resumeRetryCount="-1" action.resumeInterval="5" action.resumeIntervalMax="60"
    queue.type="Disk" queue.filename="forward" queue.maxDiskSpace="64m" queue.maxFileSize="1m"
    queue.size="500000" queue.timeoutEnqueue="0" queue.checkpointInterval="1"
  )
}`

const configuration = (receiver: SyslogReceiver) => `${writtenAtConfigure}
global(
  workDirectory="${paths.syslogState}"
  defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="${paths.syslogCa}"
  net.enableDNS="off"
)
module(load="imfile")
# Nothing from before the forwarding was switched on.
module(load="imjournal" stateFile="journal" ignorePreviousMessages="on" fileCreateMode="0600")

${forwarding(receiver)}

# The request log: the names of keys, times and sizes. Nothing of a request's content is in it. From the file's start: with
# freshStartTail, lines would be lost at each rotation.
input(
  type="imfile" file="${paths.accessLog}" tag="slm-copilot-requests:" facility="local0" severity="info"
  ruleset="forward"
)

# What went wrong in a stage. Its other lines stay here.
ruleset(name="stages") {
  if $msg contains " [ERROR] " then {
    set $.severity = "error";
    call forward
  } else if $msg contains " [WARN] " then call forward
}
input(
  type="imfile" file="${paths.log}" tag="slm-copilot:" facility="local0" severity="warning"
  ruleset="stages"
)

# The journal's warnings, and worse: the kernel's, of services about which nothing is secret, and what systemd says of
# any. Not what llama-server or nginx print, which may have parts of a request in it.
if $inputname == "imjournal" and $syslogseverity <= 4 then {
  if $!_TRANSPORT == "kernel" then call forward
  else if $!_PID == "1" and $!UNIT != "${units.syslog}" and (
    $!UNIT startswith "slm-copilot" or
    ${oneOf('$!UNIT', [units.nginx, ...forwardedUnits])}
  ) then call forward
  else if (
    ${oneOf('$!_SYSTEMD_UNIT', forwardedUnits)}
  ) then call forward
}
`

/** CA and configuration, if logs are forwarded; otherwise neither. */
export const syslogFiles = ({ syslog, syslogCa }: Pick<Context, 'syslog' | 'syslogCa'>) =>
  syslog === undefined
    ? [paths.syslogConfiguration, paths.syslogCa].map(path => ({ path, absent: true }) as const)
    : [caFile(syslogCa), { path: paths.syslogConfiguration, mode: 0o644, text: configuration(syslog) }]

const caFile = (ca: string | undefined) =>
  ca === undefined
    ? { path: paths.syslogCa, link: paths.trustedCas }
    : { path: paths.syslogCa, mode: 0o644, text: ca }

const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/'))

/** Hidden from rsyslogd, which runs as root: what is secret, or may be. */
const hidden = [
  ...[paths.state, paths.stateDisk, paths.cache, paths.tls, paths.certbot, folderOf(paths.edgeConfiguration)],
  ...[folderOf(paths.report), '/etc/ssl/private', '/etc/ssh'],
  ...['/etc/shadow', '/etc/shadow-', '/etc/gshadow', '/etc/gshadow-'],
]

/**
 * All that is visible of /run, which has other services' sockets: systemd's, the journal's, and what
 * /etc/resolv.conf may link to.
 */
const visibleInRun = ['systemd/journal', 'systemd/notify', 'log/journal', 'systemd/resolve', 'resolvconf']

/**
 * Does not start without a configuration. Root, without any capability: the framework closes the log's folder to all
 * others, and imfile asks with access(2), which knows no capabilities of other users.
 */
export const syslogUnit = () => ({
  path: paths.syslogUnit,
  mode: 0o644,
  text: `${written}
[Unit]
Description=SLM-Copilot: forward logs
ConditionPathExists=${paths.syslogConfiguration}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/sbin/rsyslogd -n -iNONE -f ${paths.syslogConfiguration}
Restart=always
RestartSec=5
SupplementaryGroups=adm
StateDirectory=${paths.syslogState.replace('/var/lib/', '')}
StateDirectoryMode=0700
UMask=0077
# Clients come first.
Nice=19
IOSchedulingClass=idle
MemoryMax=128M
TasksMax=32
CapabilityBoundingSet=
ProtectSystem=strict
InaccessiblePaths=${hidden.map(path => `-${path}`).join(' ')}
TemporaryFileSystem=/run:ro
BindReadOnlyPaths=${visibleInRun.map(path => `-/run/${path}`).join(' ')}
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
${hardening}
SystemCallFilter=~@privileged
MemoryDenyWriteExecute=yes
PrivateMounts=yes
ProcSubset=pid
ProtectProc=invisible
RemoveIPC=yes

[Install]
WantedBy=multi-user.target
`,
})

/** Masks Debian's own rsyslog.service, which would copy the journal to disk. */
export const debianSyslog = () => ({ path: paths.debianSyslog, link: '/dev/null' })
