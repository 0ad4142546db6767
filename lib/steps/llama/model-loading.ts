/** Waits until llama-server has loaded its model. */
import { healthUrl, paths, units } from '../../appliance/paths.ts'
import { loadTimeout } from '../../appliance/services/restarts.ts'
import type { Host } from '../../system/host.ts'
import { respondsOk } from '../../system/http.ts'
import { journalTail, unitStatus } from '../../system/systemd.ts'
import { waitFor } from '../../system/waiting.ts'

/**
 * Waits while this run of the unit loads a model of `size` bytes. Throws if the run ends or is restarted
 * meanwhile, or takes longer than even the slowest disk would.
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
