/** The units that mount disks with models and state, before the services start, and the rule that notices changes. */
import { diskLabels } from '../../appliance/disks/disks.ts'
import { paths, units } from '../../appliance/paths.ts'
import { written } from '../written.ts'

/** No sandbox for the first: what is mounted in one is seen by nobody else. */
export const disksUnits = () => [
  {
    path: paths.disksService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: mount the disks with models and state
Documentation=file:${paths.report}
# At boot, if this VM uses such a disk: configure enables it. Also started by configure, if there is something to do.
Before=${units.upgrade} one-context.service ${units.nginx} ${units.admission} ${units.router} ${units.llama}
StartLimitIntervalSec=0

[Service]
Type=oneshot
# At boot udev may not have seen all disks yet.
ExecStartPre=-/bin/udevadm settle --timeout=10
ExecStart=${paths.executable} attach-disks
# A disk that another machine has mounted is watched for a while before it is refused (ext4(5), mmp).
TimeoutStartSec=300
LimitCORE=0
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_SYS_ADMIN CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_SYS_RAWIO
RestrictAddressFamilies=AF_UNIX

[Install]
WantedBy=multi-user.target
`,
  },
  {
    path: paths.disksChangedService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: notice disks that have come or gone
# Before the first configure since boot there is nothing to do again.
ConditionPathExists=${paths.addresses}
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${paths.executable} attach-disks --changed
# What is detached is still being detached.
ExecStartPre=-/bin/udevadm settle --timeout=10
LimitCORE=0
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_SYS_RAWIO
RestrictAddressFamilies=AF_UNIX
`,
  },
  {
    path: paths.disksRule,
    mode: 0o644,
    text: `${written}
# Disks that come and go while the VM runs, by the label of their file system.
SUBSYSTEM=="block", ACTION=="add|change|remove", ENV{ID_FS_LABEL}=="${Object.values(diskLabels).join('|')}", RUN+="/bin/systemctl --no-block start ${units.disksChanged}"
`,
  },
]

/** Makes systemd start the first at boot. */
export const disksWanted = { path: paths.disksWanted, link: paths.disksService }
