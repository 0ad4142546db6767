/** Asks nginx itself whether a configuration is good, before anything is written or reloaded. */

import { certificateFiles, paths } from '../../appliance/paths.ts'
import type { Pair } from '../../appliance/tls/certificates.ts'
import { edgeConfiguration } from '../../render/nginx/edge.ts'
import type { Edge } from '../../render/nginx/files.ts'
import { edgeProgram } from '../../render/nginx/program.ts'
import { hstsFile } from '../../render/nginx/site.ts'
import type { Host } from '../../system/host.ts'

/** What nginx says of itself. */
export const readNginxVersion = async (host: Host): Promise<string> =>
  (await host.ask(['nginx', '-v'])).stderr

/** Runs `nginx -t` on the configuration as it would be, in a folder that only root can enter. Throws when nginx refuses it. */
export async function checkCandidate(host: Host, { site, settings }: Edge, pair: Pair): Promise<void> {
  const folder = paths.candidate
  const check = ['nginx', '-t', '-q', '-c', host.files.at(`${folder}/nginx.conf`)]
  if (!host.isLive) {
    await host.run(check)
    return
  }
  host.files.remove(folder)
  host.files.makeFolder(folder, 0o700)
  try {
    const certificate = `${folder}/current`
    const files = { certificate, program: `${folder}/program.js`, pid: `${folder}/nginx.pid` }
    host.files.replace(files.program, edgeProgram(settings).text, 0o600)
    host.files.replace(`${certificate}.conf`, hstsFile(true).text, 0o600)
    host.files.replace(`${certificate}/${certificateFiles.chain}`, pair.certificate, 0o600)
    host.files.replace(`${certificate}/${certificateFiles.key}`, pair.key, 0o600)
    host.files.replace(`${folder}/nginx.conf`, edgeConfiguration(site, files).text, 0o600)
    await host.run(check)
  } finally {
    host.files.remove(folder)
  }
}

/** Runs `nginx -t` on what stands on disk. Throws when nginx would not start or reload with it. */
export const checkConfiguration = (host: Host) =>
  host.run(['nginx', '-t', '-q', '-c', paths.edgeConfiguration])
