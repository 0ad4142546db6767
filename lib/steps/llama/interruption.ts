/** What a restart of llama-server costs its clients: announced in the log before, measured after. */
import { paths, units } from '../../appliance/paths.ts'
import type { Host } from '../../system/host.ts'
import { connectionsOf } from '../../system/processes.ts'
import { unitStatus } from '../../system/systemd.ts'

/** Says why it is restarted, and what that ends. Everything that can be prepared has been: it serves until now. */
export async function announceRestart(host: Host): Promise<void> {
  const { mainPid } = await unitStatus(host, units.llama)
  const requests = connectionsOf(host, mainPid, host.files.at(paths.socket))
  const isPersisted = host.files.status(paths.promptCacheUnit) !== undefined
  host.log.warn(
    `${units.llama} has to be restarted, because its settings have changed. Requests that are cut off: ${requests}. ` +
      `Cached prompts: ${isPersisted ? 'saved to disk, and restored afterwards' : 'lost, and computed again when they are next used'}.`,
  )
}

/** Says how long nothing could be generated. `since`: in milliseconds, by `performance.now()`. */
export const reportInterruption = (host: Host, since: number): void =>
  host.log.info(
    `${units.llama} has been restarted: ${((performance.now() - since) / 1000).toFixed(1)} s without service`,
  )
