/** The file that says why nothing can be generated, for nginx, status and banner; absent while the model serves. */
import { paths } from '../../appliance/paths.ts'
import type { Host } from '../../system/host.ts'

export function setUnavailable(host: Host, reason: string): void {
  host.files.replace(paths.unavailableReason, `${reason}\n`, 0o644)
}

export function setAvailable(host: Host): void {
  host.files.remove(paths.unavailableReason)
}

export const readUnavailable = (host: Host): string | undefined =>
  host.files.read(paths.unavailableReason)?.trim() || undefined
