/** The timer by which a router looks up its copilots. */
import { backendsEvery } from '../../appliance/fleet/fleet.ts'
import { paths, units } from '../../appliance/paths.ts'
import { written } from '../written.ts'
import { hardening } from './sandbox.ts'

/** Service, timer, and the link that makes systemd start the timer at boot. */
export const backendsUnits = () => [
  {
    path: paths.backendsService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: look up the copilots of the fleet
ConditionPathExists=${paths.routerConfiguration}
Requisite=${units.router}
After=${units.router}
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${paths.executable} backends sync
TimeoutStartSec=60
# Hides systemd's own two lines for each run; what changes is logged as a warning.
LogLevelMax=notice
SyslogLevel=warning
CapabilityBoundingSet=CAP_DAC_OVERRIDE
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
ProtectSystem=strict
ReadWritePaths=/run ${paths.state} ${paths.pages} /var/log/one-appliance
${hardening}
`,
  },
  {
    path: paths.backendsTimer,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: look up the copilots every ${backendsEvery} seconds

[Timer]
OnActiveSec=1s
OnUnitInactiveSec=${backendsEvery}s
AccuracySec=1s

[Install]
WantedBy=timers.target
`,
  },
]

export const backendsWanted = { path: paths.backendsWanted, link: paths.backendsTimer }
