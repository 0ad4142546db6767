/** The progress of the unit that downloads and verifies a model: a line or two under /run that everybody may read. */
import { paths, units } from '../../appliance/paths.ts'
import { wrapped } from '../../appliance/text.ts'
import type { Host } from '../../system/host.ts'
import { plain } from '../../system/plain-text.ts'

/** Writes what login banner and `status` show, in lines of 76 columns. */
export function showProgress(host: Host, text: string): void {
  host.files.makeFolder(paths.fetching, 0o755)
  host.files.replace(paths.fetchProgress, `${wrapped(plain(text), 76).join('\n')}\n`, 0o644)
}

export const readProgress = (host: Host): string | undefined => host.files.read(paths.fetchProgress)

/** Nothing runs any more. The folder belongs to the unit, where it runs as one. */
export const hideProgress = (host: Host): void => host.files.remove(paths.fetchProgress)

/** Starts the unit anew where a model is pending: it resumes the download. Stops it where none is. Waits for neither. */
export async function orderFetch(host: Host, isPending: boolean): Promise<void> {
  await host.$`systemctl ${isPending ? 'restart' : 'stop'} --no-block ${units.model}`
}
