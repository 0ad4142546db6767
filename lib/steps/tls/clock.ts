/** Reads the machine's clock: whether it is synchronised, and the available time sources. */

import { isHost } from '../../appliance/context/values.ts'
import { paths } from '../../appliance/paths.ts'
import type { ServedCertificate } from '../../appliance/tls/certificates.ts'
import { type Clock, firstRelease, isClockAtFault } from '../../appliance/tls/clock.ts'
import type { Host } from '../../system/host.ts'
import { datesOf, parsedCertificate } from '../../system/x509.ts'

/** chronyd's status, queried through its socket, which fails immediately if chronyd is not running. */
const tracking = (host: Host) => host.query`chronyc -h ${paths.chronySocket} -n tracking`.nothrow()

/** Reads the clock. Leap status is `Not synchronised` until a source has set the clock (chronyc(1)). */
export async function readClock(host: Host): Promise<Clock> {
  const { stdout } = await tracking(host)
  const made = host.files.status(paths.clockEpoch)?.changedAt
  return {
    now: host.now(),
    isSynchronised: /^Leap status\s*: (Normal|Insert second|Delete second)$/m.test(stdout),
    earliest: made !== undefined && made > firstRelease ? made : firstRelease,
  }
}

/** Whether the dates of the certificate in use are right, and this machine's clock is not. */
export async function isOnlyClockWrong(host: Host, { mode, pair }: ServedCertificate): Promise<boolean> {
  const certificate = parsedCertificate(pair.certificate)
  if (certificate === undefined) return false
  const dates = datesOf(certificate)
  const now = host.now()
  if (dates.from <= now && now < dates.to) return false
  const ca = parsedCertificate(host.files.read(paths.caCertificate) ?? '')
  return isClockAtFault(await readClock(host), dates, mode === 'private', ca && datesOf(ca))
}

/** The source that the clock was last set by: chronyd's name for a reference clock (`PHC0`), or a server's address. */
export async function readTimeSource(host: Host): Promise<string | undefined> {
  const { stdout } = await tracking(host)
  return /^Reference ID\s*: \S+ \((\S+)\)$/m.exec(stdout)?.[1]
}

/** The device of KVM's clock, if its driver is loaded. */
const hypervisorClock = (host: Host): string | undefined =>
  host.files
    .list(paths.hardwareClocks)
    .filter(
      name => host.files.read(`${paths.hardwareClocks}/${name}/clock_name`)?.trim() === 'KVM virtual PTP',
    )
    .map(name => `/dev/${name}`)[0]

/**
 * The NTP servers that DHCP supplied to systemd-networkd (with dhclient, Debian's hook passes them to chronyd
 * directly). They are untrusted, so anything other than names and addresses is dropped.
 */
const ntpServersByDhcp = (host: Host): string[] =>
  (host.files.read(paths.networkdState)?.match(/^NTP=(.*)$/m)?.[1] ?? '').split(' ').filter(isHost)

/** The available time sources: these servers from the context, DHCP's, and the hypervisor's clock. */
export const timeSources = (host: Host, servers: string[]) => ({
  servers,
  byDhcp: ntpServersByDhcp(host),
  hypervisorClock: hypervisorClock(host),
})
