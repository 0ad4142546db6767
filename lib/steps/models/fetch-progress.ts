/** The progress of the unit that downloads and verifies a model: a line or two in a world-readable file under /run. */
import { paths, units } from '../../appliance/paths.ts'
import { wrapped } from '../../appliance/text.ts'
import type { Host } from '../../system/host.ts'
import { plain } from '../../system/plain-text.ts'

/** Writes the text that login banner and `status` show, wrapped at 76 columns. */
export const showProgress = (host: Host, text: string): void =>
  writeProgress(host, { folder: paths.fetching, file: paths.fetchProgress }, text)

function writeProgress(host: Host, { folder, file }: { folder: string; file: string }, text: string): void {
  host.files.makeFolder(folder, 0o755)
  host.files.replace(file, `${wrapped(plain(text), 76).join('\n')}\n`, 0o644)
}

/** The same for the models of the services beside chat, which a unit of its own downloads. */
export const companionProgress = (host: Host) => ({
  show: (text: string) =>
    writeProgress(host, { folder: paths.companionFetching, file: paths.companionProgress }, text),
  read: () => host.files.read(paths.companionProgress),
  hide: () => host.files.remove(paths.companionProgress),
})

export const readProgress = (host: Host): string | undefined => host.files.read(paths.fetchProgress)

/** Removes the file when the fetch ends; its folder is the unit's RuntimeDirectory. */
export const hideProgress = (host: Host): void => host.files.remove(paths.fetchProgress)

/** Restarts the unit if a model is pending, which resumes the download; otherwise stops it. Does not wait. */
export async function orderFetch(host: Host, isPending: boolean, unit: string = units.model): Promise<void> {
  await host.$`systemctl ${isPending ? 'restart' : 'stop'} --no-block ${unit}`
}
