/** The unit that downloads a model not included in the image. */
import { paths, units } from '../../appliance/paths.ts'
import { stagesSandbox } from './sandbox.ts'

/** Not enabled: bootstrap starts it while a model is pending. */
export const modelUnit = () => ({
  path: paths.modelService,
  mode: 0o644,
  text: `# Written by slm-copilot.
[Unit]
Description=SLM-Copilot: download the requested model, verify and serve it
Documentation=file:${paths.report}
Wants=network-online.target
After=network-online.target ${units.nginx}
# Whatever ends it, it starts again and resumes the download.
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${paths.executable} fetch-model
Restart=on-failure
RestartSec=15
# Stopped by bootstrap, since no model is pending any more, or another one.
SuccessExitStatus=SIGTERM
# Removed with it: nothing must show the progress of a download that no longer runs.
RuntimeDirectory=${paths.fetching.replace('/run/', '')}
RuntimeDirectoryMode=0755
# Serving comes first.
Nice=10
IOSchedulingClass=idle

# It does what the stages do.
${stagesSandbox}
`,
})
