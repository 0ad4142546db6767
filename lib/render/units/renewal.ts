/** The timer that renews the private certificate of a machine that is not booted for months. */
import { paths } from '../../appliance/paths.ts'

const note = '# Written by slm-copilot.'

/** Service, timer, and the link by which systemd starts the timer at boot. */
export const renewalUnits = () => [
  {
    path: paths.renewalService,
    mode: 0o644,
    text: `${note}
[Unit]
Description=SLM-Copilot: renew the private certificate before it ends

[Service]
Type=oneshot
ExecStart=${paths.executable} renew
`,
  },
  {
    path: paths.renewalTimer,
    mode: 0o644,
    text: `${note}
[Unit]
Description=SLM-Copilot: look every day whether the private certificate ends soon

[Timer]
# By the time that passes, not by the clock: one that was wrong at boot may be right by then.
OnBootSec=15min
OnUnitActiveSec=1d

[Install]
WantedBy=timers.target
`,
  },
  { path: paths.renewalWanted, link: paths.renewalTimer },
]
