/** Timekeeping: chronyd's configuration (chrony.conf(5)), its drop-in, and the earliest time that systemd accepts. */
import { paths } from '../../appliance/paths.ts'

export type TimeSources = {
  /** NTP servers by name or address: those that the context names, and those that DHCP does. */
  servers: string[]
  byDhcp: string[]
  /** The hypervisor's clock, as a device under /dev; undefined where it offers none. */
  hypervisorClock: string | undefined
}

/** Those that DHCP names count where the context names none; dhclient's come by files of Debian's hook. */
const serverLines = (servers: string[], byDhcp: string[]) =>
  [
    ...(servers.length > 0 ? servers : byDhcp).map(server => `server ${server} iburst\n`),
    ...(servers.length > 0 ? [] : ['sourcedir /run/chrony-dhcp\n']),
  ].join('')

/** chronyd asks nobody but these: no public pool, unless one is named. */
export const chronyConfiguration = ({ servers, byDhcp, hypervisorClock }: TimeSources) => ({
  path: paths.chronyConfiguration,
  mode: 0o644,
  text: `# Written by slm-copilot at every configure; changes made here are lost.
${hypervisorClock === undefined ? '' : `refclock PHC ${hypervisorClock} poll 2\n`}${serverLines(servers, byDhcp)}
# A VM that was paused wakes up with the old time: step the clock at once, at any time.
makestep 1 -1
rtcsync
driftfile /var/lib/chrony/chrony.drift
maxupdateskew 100.0

# Serves no clients, and is controlled through its unix socket only.
port 0
cmdport 0
`,
})

/** Loads the driver of KVM's clock (ptp_kvm), which nothing else loads; where there is none, that may fail. */
export const chronyDropIn = () => ({
  path: paths.chronyDropIn,
  mode: 0o644,
  text: `# Written by slm-copilot.
[Service]
ExecStartPre=-+/sbin/modprobe --quiet ptp_kvm
`,
})

/** systemd begins no boot before this file's time (systemd(1), clock-epoch): that of the bake. */
export const clockEpoch = () => ({
  path: paths.clockEpoch,
  mode: 0o644,
  text: "Created with the image. A correct clock never shows a time before this file's modification time.\n",
})

/** What chronyd is run by. */
export const clockFiles = (sources: TimeSources) => [chronyConfiguration(sources), chronyDropIn()]
