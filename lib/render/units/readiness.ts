/** The units that keep READY, OneGate's attributes and the message of the day true between the stages. */
import { paths, units } from '../../appliance/paths.ts'
import { written } from '../written.ts'
import { hardening } from './sandbox.ts'

const service = `Type=oneshot
CapabilityBoundingSet=CAP_DAC_OVERRIDE
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
ProtectSystem=strict
# /etc for the message of the day.
ReadWritePaths=/etc /run ${paths.state} /var/log/one-appliance
${hardening}`

/** The watcher, what it starts, the service that ends with the VM, and the link that makes systemd start all this. */
export const readinessUnits = () => [
  {
    path: paths.readinessPath,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: the appliance becomes available or unavailable, or the framework changes its message

[Path]
PathChanged=${paths.unavailableReason}
PathChanged=${paths.healthy}
PathChanged=${paths.messageOfTheDay}
`,
  },
  {
    path: paths.readinessService,
    mode: 0o644,
    text: `${written}
# Started by the watchdog, too: an event may be missed, and OneGate may fail.
[Unit]
Description=SLM-Copilot: READY and the message of the day
StartLimitIntervalSec=0

[Service]
ExecStart=${paths.executable} update-readiness
${service}
`,
  },
  {
    path: paths.bootReadinessService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: READY and the message of the day, from boot to shutdown
Wants=${units.readinessPath}
# At shutdown units stop in the opposite order: this one while the network is up.
After=network.target

[Service]
RemainAfterExit=yes
# Until this boot's stages run, the message is that of the last boot. At the first one there is none.
ExecStart=/bin/sh -c '[ ! -e ${paths.plan} ] || systemctl start --no-block ${units.readiness}'
ExecStop=-${paths.executable} update-readiness --shutting-down
${service}

[Install]
WantedBy=multi-user.target
`,
  },
  { path: paths.readinessWanted, link: paths.bootReadinessService },
]
