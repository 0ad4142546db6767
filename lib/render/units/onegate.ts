/** The units that keep OneGate's record of this VM correct between the stages, and clear it at shutdown. */
import { paths, units } from '../../appliance/paths.ts'
import { hardening } from './sandbox.ts'

const note = '# Written by slm-copilot.'

const service = `Type=oneshot
CapabilityBoundingSet=CAP_DAC_OVERRIDE
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
ProtectSystem=strict
ReadWritePaths=/run /var/log/one-appliance
${hardening}`

/** The watcher, what it starts, the service that ends with the VM, and the link that makes systemd start all this. */
export const oneGateUnits = () => [
  {
    path: paths.oneGatePath,
    mode: 0o644,
    text: `${note}
[Unit]
Description=SLM-Copilot: the appliance becomes available or unavailable

[Path]
PathChanged=${paths.unavailableReason}
PathChanged=${paths.healthy}
`,
  },
  {
    path: paths.oneGateUpdate,
    mode: 0o644,
    text: `${note}
[Unit]
Description=SLM-Copilot: update OneGate
StartLimitIntervalSec=0

[Service]
ExecStart=${paths.executable} update-onegate
${service}
`,
  },
  {
    path: paths.oneGateUnit,
    mode: 0o644,
    text: `${note}
[Unit]
Description=SLM-Copilot: OneGate's record of this VM
Wants=${units.oneGatePath}
# At shutdown units stop in the opposite order: this one while the network is up.
After=network.target

[Service]
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=-${paths.executable} update-onegate --shutting-down
${service}

[Install]
WantedBy=multi-user.target
`,
  },
  { path: paths.oneGateWanted, link: paths.oneGateUnit },
]
