/** The unit of the admission proxy. */
import { paths, users } from '../../appliance/paths.ts'
import { sandbox } from './sandbox.ts'

/** With the same sandbox as llama-server. */
export const admissionUnit = () => ({
  path: paths.admissionUnit,
  mode: 0o644,
  text: `[Unit]
Description=SLM-Copilot: the admission proxy, which limits concurrent generations to llama-server's slots
Documentation=file:${paths.report}
ConditionPathExists=${paths.admissionConfiguration}
After=local-fs.target
# Restarted however often it fails, also when no administrator is around.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=/usr/sbin/nginx -e stderr -c ${paths.admissionConfiguration}
WorkingDirectory=/
User=${users.web}
Group=${users.web}
UMask=0007
# Removed at each stop: nginx does not replace the socket of one that was killed.
RuntimeDirectory=${paths.admissionFolder.replace('/run/', '')}
RuntimeDirectoryMode=0750
Restart=always
RestartSec=1
OOMScoreAdjust=-500

${sandbox}

[Install]
WantedBy=multi-user.target
`,
})
