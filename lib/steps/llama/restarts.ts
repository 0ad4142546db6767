/** Remembers llama-server's failures until the machine reboots, and whether a configuration has ever loaded. */
import { createHash } from 'node:crypto'
import { paths } from '../../appliance/paths.ts'
import { noRestarts, type Restarts } from '../../appliance/services/restarts.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { Host } from '../../system/host.ts'
import { readState, writeState } from '../../system/state-files.ts'
import { uptime } from '../../system/uptime.ts'

export const readRestarts = (host: Host): Restarts => readState(host, stateFiles.restarts) ?? noRestarts

export const recordRestarts = (host: Host, restarts: Restarts): void =>
  writeState(host, stateFiles.restarts, restarts)

/** Digest of what llama-server is started with: the release, and the settings, which include the model's path. */
function configurationDigest(host: Host): string {
  const release = host.files.target(paths.llamaCurrent) ?? ''
  return createHash('sha256')
    .update(`${release}\n${host.files.read(paths.llamaEnvironment) ?? ''}`)
    .digest('hex')
}

/** Whether llama-server has ever loaded its model with the current configuration. */
export const hasServed = (host: Host): boolean =>
  readState(host, stateFiles.loaded)?.configuration === configurationDigest(host)

/** Records that the current run has loaded its model. */
export function recordLoaded(host: Host): void {
  const restarts = readRestarts(host)
  if (restarts.loadedAt === undefined) recordRestarts(host, { ...restarts, loadedAt: uptime(host) })
  if (!hasServed(host)) writeState(host, stateFiles.loaded, { configuration: configurationDigest(host) })
}
