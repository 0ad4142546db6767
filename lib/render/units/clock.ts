/** Timekeeping: chronyd's configuration (chrony.conf(5)), its drop-in, and the earliest time that systemd accepts. */
import { paths } from '../../appliance/paths.ts'
import { written, writtenAtConfigure } from '../written.ts'

export type TimeSources = {
  /** NTP servers, as names or addresses: from the context, and from DHCP. */
  servers: string[]
  byDhcp: string[]
  /** The device of the hypervisor's clock under /dev; undefined if there is none. */
  hypervisorClock: string | undefined
}

/** DHCP's servers are used if the context names none; those from dhclient are in files written by Debian's hook. */
const serverLines = (servers: string[], byDhcp: string[]) =>
  [
    ...(servers.length > 0 ? servers : byDhcp).map(server => `server ${server} iburst\n`),
    ...(servers.length > 0 ? [] : ['sourcedir /run/chrony-dhcp\n']),
  ].join('')

/** chronyd uses only these sources: no public pool, unless the context names one. */
export const chronyConfiguration = ({ servers, byDhcp, hypervisorClock }: TimeSources) => ({
  path: paths.chronyConfiguration,
  mode: 0o644,
  text: `${writtenAtConfigure}
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

/** Loads the driver of KVM's clock (ptp_kvm), which nothing else does. It may fail, as without KVM. */
export const chronyDropIn = () => ({
  path: paths.chronyDropIn,
  mode: 0o644,
  text: `${written}
[Service]
ExecStartPre=-+/sbin/modprobe --quiet ptp_kvm
`,
})

/** At boot, systemd advances the clock to at least this file's time, that of the bake (systemd(1), clock-epoch). */
export const clockEpoch = () => ({
  path: paths.clockEpoch,
  mode: 0o644,
  text: "Created with the image. A correct clock never shows a time before this file's modification time.\n",
})

/** chronyd's files. */
export const clockFiles = (sources: TimeSources) => [chronyConfiguration(sources), chronyDropIn()]
