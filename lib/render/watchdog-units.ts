/** The watchdog: a timer that has our executable look whether the services answer. */
import { paths } from '../appliance/paths.ts'
import { lookEvery } from '../appliance/watchdog.ts'
import { hardening } from './sandbox.ts'

const note = '# Written by slm-copilot.'

/** Service, timer, and the link by which systemd starts the timer at boot. */
export const watchdogUnits = () => [
  {
    path: paths.watchdogService,
    mode: 0o644,
    text: `${note}
[Unit]
Description=SLM-Copilot: restart a service that has hung
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${paths.executable} watchdog
TimeoutStartSec=120
# Those who are served come first.
Nice=10
# systemd's own two lines for each look say nothing; what it does is logged as a warning.
LogLevelMax=notice
SyslogLevel=warning
CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_KILL CAP_SYS_PTRACE
RestrictAddressFamilies=AF_INET AF_UNIX
ProtectSystem=strict
ReadWritePaths=/run ${paths.state} /var/log/one-appliance
${hardening}
`,
  },
  {
    path: paths.watchdogTimer,
    mode: 0o644,
    text: `${note}
[Unit]
Description=SLM-Copilot: look every ${lookEvery} seconds whether the services answer

[Timer]
OnActiveSec=${lookEvery}
OnUnitInactiveSec=${lookEvery}
AccuracySec=1s

[Install]
WantedBy=timers.target
`,
  },
  { path: paths.watchdogWanted, link: paths.watchdogTimer },
]
