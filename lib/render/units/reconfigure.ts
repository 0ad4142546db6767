/** The unit that runs both stages again, and the timer that starts it when the VM's addresses have changed. */
import { paths, units } from '../../appliance/paths.ts'
import { written } from '../written.ts'
import { hardening, stagesSandbox } from './sandbox.ts'

/** Seconds between two looks at the addresses. */
const lookEvery = 15

/**
 * Compares the addresses with those that configure has recorded. Each new set is tried once: if the stages fail with
 * it, which the log says, they would fail again.
 */
const addressesLook = () => `#!/bin/sh
${written}
# Has the stages run again if this VM has other addresses than at the last configure: DHCP may change them at any time.
set -u
export LC_ALL=C
now=$(hostname -I | tr ' ' '\\n' | sed '/^$/d' | sort -u)

# Before the first configure, and while there is no network, there is nothing to do.
[ -e ${paths.addresses} ] && [ -n "$now" ] || exit 0
for known in ${paths.addresses} ${paths.addressesTried}; do
    if [ -e "$known" ] && [ "$now" = "$(cat "$known")" ]; then exit 0; fi
done
printf '%s\\n' "$now" > ${paths.addressesTried}
echo "The addresses of this VM have changed, and are now: $(echo $now)"
exec systemctl --no-block start ${units.reconfigure}
`

export const reconfigureUnits = () => [
  {
    path: paths.reconfigureService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: configure and bootstrap again, with the current context
Documentation=file:${paths.report}

[Service]
Type=oneshot
ExecStart=${paths.executable} reconfigure
${stagesSandbox}
`,
  },
  { path: paths.addressesLook, mode: 0o755, text: addressesLook() },
  {
    path: paths.addressesService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: notice changed addresses

[Service]
Type=oneshot
ExecStart=${paths.addressesLook}
# Hides systemd's own two lines for each run.
LogLevelMax=notice
SyslogLevel=notice
CapabilityBoundingSet=CAP_DAC_OVERRIDE
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
ProtectSystem=strict
ReadWritePaths=/run
${hardening}
`,
  },
  {
    path: paths.addressesTimer,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: check every ${lookEvery} seconds whether the addresses have changed

[Timer]
OnActiveSec=${lookEvery}
OnUnitInactiveSec=${lookEvery}
AccuracySec=1s

[Install]
WantedBy=timers.target
`,
  },
  { path: paths.addressesWanted, link: paths.addressesTimer },
]
