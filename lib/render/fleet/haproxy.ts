/** HAProxy on a router: takes requests from the edge proxy, and passes each on to a copilot. */

import { fleetHeaders } from '../../appliance/fleet/headers.ts'
import { admissionStatusUrl, paths, units, users } from '../../appliance/paths.ts'
import {
  edgeHeaders,
  finalStatuses,
  limitHeader,
  metricsPath,
  routes,
  routingHeaders,
} from '../../appliance/requests/api.ts'
import { hardening } from '../units/sandbox.ts'
import { writtenAtConfigure } from '../written.ts'
import { choose, servers, slots, vanished } from './assets/parts.ts'
import { spare } from './commands.ts'

const generations = routes.filter(({ isGeneration }) => isGeneration).map(({ path }) => path)

/**
 * The program that chooses a copilot for each request, and ends the requests at copilots that have vanished. Its files
 * share their variables.
 */
export const routerProgram = () => ({
  path: paths.routerProgram,
  mode: 0o644,
  text: `-- Written by slm-copilot.
-- The paths that occupy a slot, and how many requests to others a copilot gets at once.
generations = { ${generations.map(path => `[${JSON.stringify(path)}] = true`).join(', ')} }
spare = ${spare}

${servers}
${slots}
${choose}
${vanished}`,
})

/**
 * The configuration, in the syntax of HAProxy 2.6 and later. It names no copilot: they are added and removed while
 * HAProxy runs, so that no reload ends a stream. HAProxy repeats no request itself: the edge proxy, which still has
 * the body, sends it again, to the second socket.
 */
export const routerConfiguration = (answerTimeout: number) => ({
  path: paths.routerConfiguration,
  mode: 0o644,
  text: `${writtenAtConfigure}

global
    log stderr format raw local0 notice
    stats socket ${paths.routerControl} mode 600 level admin
    # With one thread, the connections that the program counts are exact: no two requests take the same slot. By default,
    # the program is interrupted by other requests after 10,000 instructions, which it needs for some hundred copilots.
    nbthread 1
    tune.lua.forced-yield 100000000
    maxconn 4096
    # For the program: arguments of lua-load do not reach it in 2.6.
    setenv CONTROL_ADDRESS unix@${paths.routerControl}
    lua-load ${paths.routerProgram}
    ssl-default-server-options ssl-min-ver TLSv1.2

defaults
    mode http
    log global
    timeout connect 3s
    timeout client ${answerTimeout + 60}s
    timeout server ${answerTimeout + 60}s
    # A request waits for a slot in the program, if anywhere.
    timeout queue 1s
    retries 0
    # Tokens are passed on without delay.
    option http-no-delay
    option abortonclose
    # Connections to copilots are kept for some seconds: an agent's next request follows soon. TCP's probes find those that
    # have been lost while nothing is sent; the program ends what waits for a copilot that has vanished.
    http-reuse always
    option srvtcpka
    srvtcpka-idle 5s
    srvtcpka-intvl 2s
    srvtcpka-cnt 4
    # A copilot that computes may answer late. One that does not accept the connection is down sooner (inter).
    timeout check 5s
    option httpchk
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host localhost
    http-check expect status 200

frontend first
    bind unix@${paths.admissionSocket} mode 660
    default_backend fleet

frontend repeated
    bind unix@${paths.repeatedSocket} mode 660
    http-request set-var(txn.repeated) str(yes)
    default_backend fleet

backend fleet
    # For the servers that are added later: none of the program's requests is balanced by this.
    balance leastconn
    http-request use-service prometheus-exporter if { path ${metricsPath} }
    # As nginx's status page on a copilot: while it drains, the VM waits until nothing is being answered but this.
    http-request return status 200 content-type text/plain lf-string "Active connections: %[be_conn]\\nserver accepts handled requests\\n 0 0 0\\nReading: 0 Writing: %[be_conn] Waiting: 0\\n" if { path ${new URL(admissionStatusUrl).pathname} }
    http-request return status 200 content-type application/json string '{"status":"ok"}' if { path /health } { lua.fleet_is_up -m bool }
    http-request return status 503 content-type application/json string '{"status":"unavailable"}' if { path /health }
    http-request lua.choose
    http-request return status ${finalStatuses.full} hdr ${limitHeader.name} slots if { var(txn.refusal) -m str full refused }
    http-request return status ${finalStatuses.full} hdr ${limitHeader.name} key if { var(txn.refusal) -m str key }
    http-request return status ${finalStatuses.none} if { var(txn.refusal) -m str none }
    http-request return status ${finalStatuses.noService} if { var(txn.refusal) -m str service }
    # A slot is taken on one server, and by one tenant, if there are several.
    http-request track-sc0 req.hdr(${edgeHeaders.tenant.name}) table tenants if { var(txn.slot) -m found } { req.hdr(${edgeHeaders.tenant.name}) -m found }
    http-request track-sc1 var(txn.server) table generations if { var(txn.slot) -m found }
    http-request del-header ${routingHeaders.session}
    http-request del-header ${routingHeaders.model}
    http-request del-header ${routingHeaders.service}
    http-request del-header ${edgeHeaders.quota.name}
    http-request del-header ${edgeHeaders.tenant.name}
    http-response lua.refused if { status 429 503 } !{ res.hdr(${fleetHeaders.refusal.name}) -m str ended }
    # A copilot answers one request: it sends nobody elsewhere, and tells neither browsers nor the edge proxy anything else.
    http-response return status 502 if { status lt 200 } or { status 300:399 }
    http-response del-header ^(?!content-type$|content-length$|transfer-encoding$) -m reg
    http-response set-header Content-Type application/json unless { res.hdr(Content-Type) -m beg text/event-stream text/plain }
    # A copilot does not say which of its limits was exceeded.
    http-response set-header ${limitHeader.name} slots if { status 429 }
    use-server %[var(txn.server)] if TRUE

# Generations in progress of each server, by its name.
backend generations
    stick-table type string len 64 size 1k expire 1d store conn_cur

# And of each tenant.
backend tenants
    stick-table type string len 32 size 100k expire 1d store conn_cur
`,
})

/** HAProxy's unit. Debian's own, which would read another configuration, is disabled. */
export const routerUnit = () => ({
  path: paths.routerUnit,
  mode: 0o644,
  text: `[Unit]
Description=SLM-Copilot: the router, which passes requests on to the copilots of the fleet
Documentation=file:${paths.report}
ConditionPathExists=${paths.routerConfiguration}
After=network-online.target
Wants=network-online.target
# Restarted however often it fails, also when no administrator is around.
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/sbin/haproxy -Ws -f ${paths.routerConfiguration}
# At its start it knows no copilots.
ExecStartPost=-+/usr/bin/systemctl start --no-block ${units.backends}
WorkingDirectory=/
User=${users.web}
Group=${users.web}
UMask=0007
RuntimeDirectory=${paths.admissionFolder.replace('/run/', '')}
RuntimeDirectoryMode=0750
Restart=always
RestartSec=1
OOMScoreAdjust=-500
LimitNOFILE=16384

${hardening}
CapabilityBoundingSet=
MemoryDenyWriteExecute=no
PrivateUsers=yes
ProcSubset=pid
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX

[Install]
WantedBy=multi-user.target
`,
})
