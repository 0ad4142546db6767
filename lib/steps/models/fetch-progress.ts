/** The progress of the unit that downloads and verifies a model: a line or two in a world-readable file under /run. */
import { paths, units } from '../../appliance/paths.ts'
import { wrapped } from '../../appliance/text.ts'
import type { Host } from '../../system/host.ts'
import { plain } from '../../system/plain-text.ts'

/** Writes the text that login banner and `status` show, wrapped at 76 columns. */
export function showProgress(host: Host, text: string): void {
  host.files.makeFolder(paths.fetching, 0o755)
  host.files.replace(paths.fetchProgress, `${wrapped(plain(text), 76).join('\n')}\n`, 0o644)
}

export const readProgress = (host: Host): string | undefined => host.files.read(paths.fetchProgress)

/** Removes the file when the fetch ends; its folder is the unit's RuntimeDirectory. */
export const hideProgress = (host: Host): void => host.files.remove(paths.fetchProgress)

/** Restarts the unit if a model is pending, which resumes the download; otherwise stops it. Does not wait. */
export async function orderFetch(host: Host, isPending: boolean): Promise<void> {
  await host.$`systemctl ${isPending ? 'restart' : 'stop'} --no-block ${units.model}`
}
