/** The unit that runs both stages again, and the timer that starts it when the VM's addresses have changed. */
import { paths, units } from '../../appliance/paths.ts'
import { written } from '../written.ts'
import { hardening, stagesSandbox } from './sandbox.ts'

/** Seconds between two checks of the addresses. */
const checkEvery = 15

/**
 * Compares the addresses with those that configure has recorded. Each new set is tried once: if the stages fail with
 * it, which the log says, they would fail again. But configure leaves out the addresses of an interface without a link,
 * so that they are tried again once it has one.
 */
const addressesCheck = () => `#!/bin/sh
${written}
# Has the stages run again if this VM has other addresses than at the last configure: DHCP may change them at any time.
set -u
export LC_ALL=C

# Whether these are the addresses in the file. Floating ones come and go.
is_in() {
    [ -e "$1" ] && [ "$2" = "$(sed '/^floating /d' "$1")" ]
}

# Before the first configure there is nothing to do.
[ -e ${paths.addresses} ] || exit 0
floating=$(sed -n 's/^floating //p' ${paths.addresses})
now=$(hostname -I | tr ' ' '\\n' | grep -vxF -e "$floating" -e '' | sort -u)

# Nor while there is no network.
[ -n "$now" ] || exit 0
is_in ${paths.addresses} "$now" && exit 0
tried="$now
$(ip -brief link)"
is_in ${paths.addressesTried} "$tried" && exit 0
printf '%s\\n' "$tried" > ${paths.addressesTried}
echo "The addresses of this VM have changed, and are now: $(echo "$now" | tr '\\n' ' ')"
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
  { path: paths.addressesScript, mode: 0o755, text: addressesCheck() },
  {
    path: paths.addressesService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: notice changed addresses

[Service]
Type=oneshot
ExecStart=${paths.addressesScript}
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
Description=SLM-Copilot: check every ${checkEvery} seconds whether the addresses have changed

[Timer]
OnActiveSec=${checkEvery}
OnUnitInactiveSec=${checkEvery}
AccuracySec=1s

[Install]
WantedBy=timers.target
`,
  },
  { path: paths.addressesWanted, link: paths.addressesTimer },
]
