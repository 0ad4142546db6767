/** The units that download models not included in the image. */
import { paths, units } from '../../appliance/paths.ts'
import { written } from '../written.ts'
import { stagesSandbox } from './sandbox.ts'

type Fetch = { path: string; description: string; command: string; folder: string }

/** Not enabled: bootstrap starts them while a model is pending. */
const fetchUnit = ({ path, description, command, folder }: Fetch) => ({
  path,
  mode: 0o644,
  text: `${written}
[Unit]
Description=SLM-Copilot: ${description}
Documentation=file:${paths.report}
Wants=network-online.target
After=network-online.target ${units.nginx}
# Whatever ends it, it starts again and resumes the download.
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${paths.executable} ${command}
Restart=on-failure
RestartSec=15
# Stopped by bootstrap, since no model is pending any more, or another one.
SuccessExitStatus=SIGTERM
# Removed with it: nothing must show the progress of a download that no longer runs.
RuntimeDirectory=${folder.replace('/run/', '')}
RuntimeDirectoryMode=0755
# Serving comes first.
Nice=10
IOSchedulingClass=idle

# It does what the stages do.
${stagesSandbox}
`,
})

/** The unit for chat's model. */
export const modelUnit = () =>
  fetchUnit({
    path: paths.modelService,
    description: 'download the requested model, verify and serve it',
    command: 'fetch-model',
    folder: paths.fetching,
  })

/** The unit for the models of the services beside chat. */
export const companionFetchUnit = () =>
  fetchUnit({
    path: paths.companionsService,
    description: 'download models for the services beside chat, and start these',
    command: 'fetch-companions',
    folder: paths.companionFetching,
  })
