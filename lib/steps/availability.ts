/** What clients, status and banner are told while nothing can be generated; there only as long as that is so. */
import type { Unavailable } from '../appliance/availability.ts'
import { paths } from '../appliance/paths.ts'
import { stateFiles } from '../appliance/state-files.ts'
import { wrapped } from '../appliance/text.ts'
import type { Host } from '../system/host.ts'
import { readState, writeState } from '../system/state-files.ts'

/** nginx reads the first file, the login banner the second. */
export function setUnavailable(host: Host, reason: Unavailable): void {
  if (host.isDryRun) return
  host.files.makeFolder(paths.availability, 0o755)
  writeState(host, stateFiles.unavailable, reason)
  const lines = wrapped(`Not available: ${reason.message}`, 76)
  host.files.replace(paths.unavailableText, `${lines.join('\n')}\n`, 0o644)
}

export function setAvailable(host: Host): void {
  if (host.isDryRun) return
  host.files.remove(paths.unavailable)
  host.files.remove(paths.unavailableText)
}

export const readUnavailable = (host: Host): Unavailable | undefined =>
  readState(host, stateFiles.unavailable)
