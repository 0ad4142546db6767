/** Asks nginx itself whether a configuration is good, before anything is written or reloaded. */
import type { Pair } from '../appliance/certificates.ts'
import { certificateFiles, paths } from '../appliance/paths.ts'
import { candidateConfiguration, nginxSite, type Site } from '../render/nginx-site.ts'
import type { Host } from '../system/host.ts'

/** Runs `nginx -t` on the site as it would be, in a folder that only root can enter. Throws when nginx refuses it. */
export async function checkCandidate(host: Host, site: Omit<Site, 'certificate'>, leaf: Pair): Promise<void> {
  const folder = paths.candidate
  const check = ['nginx', '-t', '-q', '-c', host.files.at(`${folder}/nginx.conf`)]
  if (!host.isLive) {
    await host.run(check)
    return
  }
  host.files.remove(folder)
  host.files.makeFolder(folder, 0o700)
  try {
    host.files.replace(`${folder}/site.conf`, nginxSite({ ...site, certificate: folder }).text, 0o600)
    host.files.replace(`${folder}/${certificateFiles.chain}`, leaf.certificate, 0o600)
    host.files.replace(`${folder}/${certificateFiles.key}`, leaf.key, 0o600)
    host.files.replace(`${folder}/nginx.conf`, candidateConfiguration(folder), 0o600)
    await host.run(check)
  } finally {
    host.files.remove(folder)
  }
}

/** Runs `nginx -t` on what stands on disk. Throws when nginx would not start or reload with it. */
export const checkConfiguration = (host: Host) => host.run(['nginx', '-t', '-q'])
