/** Asks nginx itself whether a configuration is good, before anything is written or reloaded. */
import type { Pair } from '../appliance/certificates.ts'
import { certificateFiles, paths } from '../appliance/paths.ts'
import { candidateConfiguration, nginxSite, type Site, servedHeaders } from '../render/nginx-site.ts'
import type { Host } from '../system/host.ts'

/** Runs `nginx -t` on the site as it would be, in a folder that only root can enter. Throws when nginx refuses it. */
export async function checkCandidate(host: Host, site: Omit<Site, 'certificate'>, pair: Pair): Promise<void> {
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
    host.files.replace(`${folder}/site.conf`, nginxSite({ ...site, certificate }).text, 0o600)
    host.files.replace(`${certificate}.conf`, servedHeaders(true).text, 0o600)
    host.files.replace(`${certificate}/${certificateFiles.chain}`, pair.certificate, 0o600)
    host.files.replace(`${certificate}/${certificateFiles.key}`, pair.key, 0o600)
    host.files.replace(`${folder}/nginx.conf`, candidateConfiguration(folder), 0o600)
    await host.run(check)
  } finally {
    host.files.remove(folder)
  }
}

/** Runs `nginx -t` on what stands on disk. Throws when nginx would not start or reload with it. */
export const checkConfiguration = (host: Host) => host.run(['nginx', '-t', '-q'])
