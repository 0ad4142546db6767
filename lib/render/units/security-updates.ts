/** Security updates of the operating system: by unattended-upgrades(8) if the context asks for them. */
import { outboundUnits, paths } from '../../appliance/paths.ts'

/** Systemd does not start a masked unit, whatever wants it (systemctl(1), mask). */
const mask = (unit: string) => ({ path: `${paths.unitFiles}/${unit}`, link: '/dev/null' }) as const
const unmask = (unit: string) => ({ path: `${paths.unitFiles}/${unit}`, absent: true }) as const

/** apt's periodic jobs, and what unattended-upgrades may install. Read after Debian's own files, which it overrides. */
const aptConfiguration = (areWanted: boolean) => {
  const value = areWanted ? '1' : '0'
  return {
    path: paths.securityUpdates,
    mode: 0o644,
    text: `// Written by slm-copilot at every configure: changes made here are lost.
APT::Periodic::Enable "${value}";
APT::Periodic::Update-Package-Lists "${value}";
APT::Periodic::Unattended-Upgrade "${value}";
APT::Periodic::Download-Upgradeable-Packages "0";

// Security updates only.
#clear Unattended-Upgrade::Allowed-Origins;
#clear Unattended-Upgrade::Origins-Pattern;
Unattended-Upgrade::Origins-Pattern {
  "origin=Debian,codename=\${distro_codename}-security,label=Debian-Security";
  "origin=Ubuntu,archive=\${distro_codename}-security";
};
Unattended-Upgrade::Automatic-Reboot "false";
Unattended-Upgrade::InstallOnShutdown "false";
// Files that the appliance has changed stay as they are.
Dpkg::Options { "--force-confdef"; "--force-confold"; };
`,
  }
}

/** Without updates, nothing connects to a package archive on its own. */
export const securityUpdateFiles = (areWanted: boolean) => [
  aptConfiguration(areWanted),
  ...outboundUnits.updates.map(unit => (areWanted ? unmask(unit) : mask(unit))),
  ...outboundUnits.others.map(mask),
]
