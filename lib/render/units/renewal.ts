/** The timer that renews the VM's own certificate on machines that run for months without a reboot. */
import { paths } from '../../appliance/paths.ts'
import { written } from '../written.ts'
import { stagesSandbox } from './sandbox.ts'

/** Service, timer, and the link that makes systemd start the timer at boot. */
export const renewalUnits = () => [
  {
    path: paths.renewalService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: renew the VM's own certificate before it expires

[Service]
Type=oneshot
ExecStart=${paths.executable} renew
${stagesSandbox}
`,
  },
  {
    path: paths.renewalTimer,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: check daily whether the VM's own certificate expires soon

[Timer]
# Monotonic, not by the wall clock, which may be wrong at boot and corrected later.
OnBootSec=15min
OnUnitActiveSec=1d

[Install]
WantedBy=timers.target
`,
  },
  { path: paths.renewalWanted, link: paths.renewalTimer },
]
