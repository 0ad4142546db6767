/** The timer that writes metrics which nginx cannot know at a scrape, and publishes the load at OneGate. */
import { paths } from '../../appliance/paths.ts'
import { written } from '../written.ts'
import { hardening } from './sandbox.ts'

/** Service, timer, and the link that makes systemd start the timer at boot. */
export const metricsUnits = () => [
  {
    path: paths.metricsService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: write the metrics, and publish the load
# Before the first configure of this boot there is nothing to write, and its CPU time is for that.
ConditionPathExists=${paths.addresses}
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${paths.executable} write-metrics
# Clients come first: it takes 0.2 s of CPU time, for which it may wait. A late round fails nothing: the next one begins a
# minute after its end, and counts on from where it was.
Nice=19
TimeoutStartSec=600
IOSchedulingClass=idle
# Hides systemd's own two lines for each run.
LogLevelMax=notice
SyslogLevel=warning
# To read the request log, the plan and the context.
CapabilityBoundingSet=CAP_DAC_OVERRIDE
# AF_INET for OneGate.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
ProtectSystem=strict
ReadWritePaths=/run
${hardening}
`,
  },
  {
    path: paths.metricsTimer,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: write the metrics every minute

[Timer]
OnActiveSec=20s
OnUnitInactiveSec=1min
AccuracySec=1s

[Install]
WantedBy=timers.target
`,
  },
  { path: paths.metricsWanted, link: paths.metricsTimer },
]
