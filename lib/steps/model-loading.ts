/** Waits until llama-server has loaded its model. */
import { healthUrl, paths, units } from '../appliance/paths.ts'
import type { Host } from '../system/host.ts'
import { isServing } from '../system/http.ts'
import { lastWords, unitStatus } from '../system/systemd.ts'
import { waitFor } from '../system/waiting.ts'

/** Waits as long as the unit runs on and loads. Throws when it ends or is started anew meanwhile. */
export async function waitForModel(host: Host, invocation: string): Promise<void> {
  const look = async () => {
    if (await isServing(host, healthUrl, host.files.at(paths.socket))) return true
    const status = await unitStatus(host, units.llama)
    if (status.isActive && status.invocation === invocation) return undefined
    throw new Error(
      `llama-server ended while it loaded the model.\nIts last words:\n${await lastWords(host, units.llama)}\n` +
        `More: journalctl -u ${units.llama}`,
    )
  }
  await waitFor(look, seconds => host.log.info(`Loading the model: ${seconds} s so far`))
}
