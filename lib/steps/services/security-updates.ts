/** Makes systemd follow what configure has decided about the operating system's security updates. */
import { outboundUnits, paths } from '../../appliance/paths.ts'
import type { Host } from '../../system/host.ts'

const isMaskedOnDisk = (host: Host, unit: string) =>
  host.files.target(`${paths.unitFiles}/${unit}`) === '/dev/null'

/** Starts or stops apt's timers. They start at boot by themselves unless they are masked. */
export async function applySecurityUpdates(host: Host): Promise<void> {
  const areWanted = !outboundUnits.updates.some(unit => isMaskedOnDisk(host, unit))
  const shown = ['--property=LoadState,ActiveState', '--value']
  // A rooted host has no systemd: nothing is active there.
  const { stdout } = await host.query`systemctl show ${shown} ${outboundUnits.updates}`.nothrow()
  const states = stdout.split('\n').filter(Boolean)
  const isActive = states.includes('active')
  if (isActive !== areWanted) host.log.info(`Automatic security updates: ${areWanted ? 'on' : 'off'}`)
  // Stopped before the mask is read: an active unit that becomes masked fails.
  if (isActive && !areWanted) await host.$`systemctl stop ${outboundUnits.updates}`
  // A mask on disk is not among the changes that NeedDaemonReload reports.
  if (states.includes('masked') === areWanted) await host.$`systemctl daemon-reload`
  if (areWanted && !isActive) await host.$`systemctl start ${outboundUnits.updates}`
}
