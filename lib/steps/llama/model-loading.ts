/** Waits until llama-server has loaded its model. */
import { healthUrl, paths, units } from '../../appliance/paths.ts'
import { loadTimeout } from '../../appliance/services/restarts.ts'
import type { Host } from '../../system/host.ts'
import { respondsOk } from '../../system/http.ts'
import { journalTail, unitStatus } from '../../system/systemd.ts'
import { waitFor } from '../../system/waiting.ts'

/**
 * Waits while this run of the unit loads a model of so many bytes. Throws when it ends or is started anew meanwhile, and
 * when it takes longer than it would from the slowest disk.
 */
export async function waitForModel(host: Host, invocation: string, size: number): Promise<void> {
  const poll = async () => {
    if (await respondsOk(host, healthUrl, host.files.at(paths.socket))) return true
    const status = await unitStatus(host, units.llama)
    if (status.isActive && status.invocation === invocation) return undefined
    throw new Error(
      `llama-server ended while it was loading the model.\nThe end of its journal:\n${await journalTail(host, units.llama)}\n` +
        `For more: journalctl -u ${units.llama}`,
    )
  }
  const report = (seconds: number) => host.log.info(`Loading the model: ${seconds} s so far`)
  await waitFor(poll, report, loadTimeout(size), 'Loading the model')
}
