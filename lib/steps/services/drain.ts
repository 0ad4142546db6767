/** The file that makes both proxies refuse new requests, and how many requests are still being answered. */
import { admissionStatusUrl, paths } from '../../appliance/paths.ts'
import { admittedRequests, parseStatusPage } from '../../appliance/requests/status-page.ts'
import type { Host } from '../../system/host.ts'

/** Since when the VM is being drained; undefined if it is not. */
export const drainingSince = (host: Host): string | undefined => host.files.read(paths.draining)?.trim()

/** From now on new requests are refused. It ends with the boot, or with `endDraining`. */
export function beginDraining(host: Host): void {
  if (drainingSince(host) !== undefined) return
  host.files.replace(paths.draining, `${host.now().toISOString().slice(0, 19)}Z\n`, 0o644)
}

export const endDraining = (host: Host): void => host.files.remove(paths.draining)

/** Error codes if the admission proxy does not run: then no request that it admitted does either. */
const notRunning = ['ENOENT', 'ECONNREFUSED']

/** How many requests are being answered, by llama-server or through HAProxy; undefined if they could not be counted. */
export async function runningRequests(host: Host): Promise<number | undefined> {
  try {
    const socket = host.files.at(paths.admissionSocket)
    const { body } = await host.http({ url: admissionStatusUrl, socket, timeout: 5 })
    const page = parseStatusPage(body)
    return page && admittedRequests(page)
  } catch (error) {
    return notRunning.includes((error as NodeJS.ErrnoException).code ?? '') ? 0 : undefined
  }
}
