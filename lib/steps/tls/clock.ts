/** Reads the machine's clock: whether it is synchronised, and the available time sources. */

import { isHost } from '../../appliance/context/values.ts'
import { paths } from '../../appliance/paths.ts'
import { type Clock, firstRelease } from '../../appliance/tls/clock.ts'
import type { Host } from '../../system/host.ts'

/** chronyd's own word, asked by its socket: where it does not run, that fails at once. */
const tracking = (host: Host) => host.query`chronyc -h ${paths.chronySocket} -n tracking`.nothrow()

/** Leap status: `Not synchronised` until a source has set the clock (chronyc(1)). */
export async function readClock(host: Host): Promise<Clock> {
  const { stdout } = await tracking(host)
  const made = host.files.status(paths.clockEpoch)?.changedAt
  return {
    now: host.now(),
    isSynchronised: /^Leap status\s*: (Normal|Insert second|Delete second)$/m.test(stdout),
    earliest: made !== undefined && made > firstRelease ? made : firstRelease,
  }
}

/** KVM's clock as a device, where its driver is loaded. */
const hypervisorClock = (host: Host): string | undefined =>
  host.files
    .list(paths.hardwareClocks)
    .filter(
      name => host.files.read(`${paths.hardwareClocks}/${name}/clock_name`)?.trim() === 'KVM virtual PTP',
    )
    .map(name => `/dev/${name}`)[0]

/**
 * The NTP servers that the network's DHCP server names, as systemd-networkd knows them; dhclient's hook tells chronyd
 * itself. They come from the network, so what is no name or address is left out.
 */
const ntpServersByDhcp = (host: Host): string[] =>
  (host.files.read(paths.networkdState)?.match(/^NTP=(.*)$/m)?.[1] ?? '').split(' ').filter(isHost)

/** What the machine has to take its time from, besides the servers that the context names. */
export const timeSources = (host: Host, servers: string[]) => ({
  servers,
  byDhcp: ntpServersByDhcp(host),
  hypervisorClock: hypervisorClock(host),
})
