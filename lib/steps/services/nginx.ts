/** Checks a configuration with nginx before anything is written or reloaded. */

import { certificateFiles, paths } from '../../appliance/paths.ts'
import type { Pair } from '../../appliance/tls/certificates.ts'
import { edgeConfiguration } from '../../render/nginx/edge.ts'
import { hstsFile } from '../../render/nginx/hsts.ts'
import { edgeProgram } from '../../render/nginx/program.ts'
import type { Site } from '../../render/nginx/site.ts'
import type { Host } from '../../system/host.ts'

/** The output of `nginx -v`; empty without nginx, which the check of the configuration then reports. */
export const readNginxVersion = async (host: Host): Promise<string> =>
  (await host.query`nginx -v`.nothrow()).stderr

/** Runs `nginx -t` on a candidate configuration in a folder that only root can enter. Throws if nginx rejects it. */
export const checkCandidate = (host: Host, site: Site, pair: Pair): Promise<unknown> =>
  host.perform('check the configuration with nginx -t', async () => {
    const folder = paths.candidate
    host.files.remove(folder)
    host.files.makeFolder(folder, 0o700)
    try {
      writeCandidate(host, folder, site, pair)
      await host.$`nginx -t -q -c ${host.files.at(`${folder}/nginx.conf`)}`
    } finally {
      host.files.remove(folder)
    }
  })

function writeCandidate({ files }: Host, folder: string, site: Site, pair: Pair): void {
  const certificate = `${folder}/current`
  const own = { certificate, program: `${folder}/program.js`, pid: `${folder}/nginx.pid` }
  files.replace(own.program, edgeProgram(site.settings).text, 0o600)
  files.replace(`${certificate}.conf`, hstsFile(true).text, 0o600)
  files.replace(`${certificate}/${certificateFiles.chain}`, pair.certificate, 0o600)
  files.replace(`${certificate}/${certificateFiles.key}`, pair.key, 0o600)
  files.replace(`${folder}/nginx.conf`, edgeConfiguration(site, own).text, 0o600)
}

/** Runs `nginx -t` on the configuration on disk. Throws if nginx would not start or reload with it. */
export const checkConfiguration = (host: Host) => host.$`nginx -t -q -c ${paths.edgeConfiguration}`
