/** What everybody may read of a fetch that runs: a line or two under /run, and the unit that does it. */
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

/** Nothing is fetched any more. The folder is the unit's, where it runs as one. */
export const hideProgress = (host: Host): void => host.files.remove(paths.fetchProgress)

/** Has the unit fetch what is wanted now, from where it was; ends it where nothing is. Waits for neither. */
export async function orderFetch(host: Host, isWanted: boolean): Promise<void> {
  await host.$`systemctl ${isWanted ? 'restart' : 'stop'} --no-block ${units.model}`
}
