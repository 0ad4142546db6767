/** The unit that goes back to the version before, if an upgrade was interrupted by a reboot. */
import { paths, units } from '../../appliance/paths.ts'
import { written } from '../written.ts'

/** Before the framework runs the stages, and before anything is served. It runs the previous version's executable. */
export const upgradeUnits = () => [
  {
    path: paths.upgradeUnit,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: go back to the previous version after an interrupted upgrade
ConditionPathExists=${paths.upgradeJournal}
Before=one-context.service ${units.llama} ${units.admission} ${units.nginx}

[Service]
Type=oneshot
ExecStart=${paths.fallbackVersion}/slm-copilot upgrade --resume

[Install]
WantedBy=multi-user.target
`,
  },
  { path: paths.upgradeWanted, link: paths.upgradeUnit },
]
