/** The units that mount disks with models and state at boot, and the udev rule that notices changes later. */
import { diskLabels } from '../../appliance/disks/disks.ts'
import { paths, units } from '../../appliance/paths.ts'
import { written } from '../written.ts'

/** The first has no file system sandbox: what it mounted there would be invisible outside. */
export const disksUnits = () => [
  {
    path: paths.disksService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: mount the disks with models and state
Documentation=file:${paths.report}
# At boot only if this VM uses such a disk: configure enables it then. Configure also starts it when disks have changed.
Before=${units.upgrade} one-context.service ${units.nginx} ${units.admission} ${units.router} ${units.llama}
StartLimitIntervalSec=0

[Service]
Type=oneshot
# At boot udev may not have seen all disks yet.
ExecStartPre=-/bin/udevadm settle --timeout=10
ExecStart=${paths.executable} attach-disks
# Before a disk is mounted, ext4 watches for a while whether another machine has it mounted (ext4(5), mmp).
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
Description=SLM-Copilot: notice disks that have been attached or detached
# The first configure since boot sees these disks itself.
ConditionPathExists=${paths.addresses}
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${paths.executable} attach-disks --changed
# A detached disk may not have disappeared yet.
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
# Disks attached or detached while the VM runs, by the label of their file system.
SUBSYSTEM=="block", ACTION=="add|change|remove", ENV{ID_FS_LABEL}=="${Object.values(diskLabels).join('|')}", RUN+="/bin/systemctl --no-block start ${units.disksChanged}"
`,
  },
]

/** The link by which systemd starts the first one at boot. */
export const disksWanted = { path: paths.disksWanted, link: paths.disksService }
