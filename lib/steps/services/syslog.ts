/** Starts, restarts or stops the forwarding of logs, as configure has decided. */
import { paths, units } from '../../appliance/paths.ts'
import { services } from '../../appliance/services/services.ts'
import type { Host } from '../../system/host.ts'
import { disableUnit } from '../../system/systemd.ts'
import { applyService } from './services.ts'

/** The appliance serves even if that fails. Does not wait for the receiver to answer. */
export async function applySyslog(host: Host): Promise<string[]> {
  try {
    if (host.files.status(paths.syslogConfiguration) !== undefined) await applyService(host, services.syslog)
    else await stop(host)
    return []
  } catch (error) {
    const [first = ''] = (error as Error).message.split('\n')
    const note = `Logs are not forwarded: ${first.replace(/:$/, '.')} See: journalctl -u ${units.syslog}`
    host.log.warn(note)
    return [note]
  }
}

/** Discards what is waiting, which must not be sent to another receiver later. */
async function stop(host: Host): Promise<void> {
  const hasRun = host.files.status(paths.syslogState) !== undefined
  if (!hasRun) return
  await disableUnit(host, units.syslog)
  await host.$`systemctl clean --what=state ${units.syslog}`
}
