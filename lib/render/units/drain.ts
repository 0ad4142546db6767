/** The unit that drains the VM when the whole system stops, before anything that a running generation needs. */
import { paths, units } from '../../appliance/paths.ts'
import { drainMargin } from '../../appliance/services/drain.ts'
import { written } from '../written.ts'
import { hardening } from './sandbox.ts'

/** The unit, and the link that starts it at boot. `limit`: seconds that running generations get. */
export const drainUnit = (limit: number) => [
  {
    path: paths.drainService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: let running generations end before the VM stops
Documentation=file:${paths.report}
# At shutdown units stop in the opposite order: this one first, while the network is up and the services run.
After=network.target ${units.bootReadiness} ${units.nginx} ${units.admission} ${units.router} ${units.floatingIp} ${units.llama} ${units.promptCache}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=-${paths.executable} drain --shutting-down --limit ${limit}
TimeoutStopSec=${limit + drainMargin}
CapabilityBoundingSet=CAP_DAC_OVERRIDE
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
ProtectSystem=strict
# /etc for the message of the day.
ReadWritePaths=/etc /run ${paths.state} /var/log/one-appliance
${hardening}

[Install]
WantedBy=multi-user.target
`,
  },
  { path: paths.drainWanted, link: paths.drainService },
]
