/** Makes systemd follow what configure has decided about the operating system's security updates. */
import { callers, paths } from '../../appliance/paths.ts'
import type { Host } from '../../system/host.ts'

const isMaskedOnDisk = (host: Host, unit: string) =>
  host.files.target(`${paths.unitFiles}/${unit}`) === '/dev/null'

/** Starts or stops apt's timers. They start at boot by themselves unless they are masked. */
export async function applySecurityUpdates(host: Host): Promise<void> {
  const areWanted = !callers.updates.some(unit => isMaskedOnDisk(host, unit))
  const shown = ['--property=LoadState,ActiveState', '--value']
  const { stdout } = await host.query`systemctl show ${shown} ${callers.updates}`.nothrow()
  const states = stdout.split('\n').filter(Boolean)
  // A mask on disk is not among the changes that NeedDaemonReload reports.
  if (states.includes('masked') === areWanted) await host.$`systemctl daemon-reload`
  const isActive = states.includes('active')
  if (isActive === areWanted) return
  host.log.info(`Automatic security updates: ${areWanted ? 'on' : 'off'}`)
  await host.$`systemctl ${areWanted ? 'start' : 'stop'} ${callers.updates}`
}
