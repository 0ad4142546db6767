/** The units that fetch models: starting and stopping them, and their progress, a line or two that everyone may read. */
import { paths, units } from '../../appliance/paths.ts'
import { onOneLine, wrapped } from '../../appliance/text.ts'
import type { Host } from '../../system/host.ts'
import { plain } from '../../system/plain-text.ts'

/** Chat's model, and those of the services beside it. Each folder is its unit's RuntimeDirectory. */
const fetches = {
  model: { unit: units.model, folder: paths.fetching, file: paths.fetchProgress },
  companions: { unit: units.companions, folder: paths.companionFetching, file: paths.companionProgress },
} as const

export type FetchKind = keyof typeof fetches

/** Writes the text, wrapped at 76 columns: the login banner prints the file as it is. */
export function showProgress(host: Host, kind: FetchKind, text: string): void {
  const { folder, file } = fetches[kind]
  host.files.makeFolder(folder, 0o755)
  host.files.replace(file, `${wrapped(plain(text), 76).join('\n')}\n`, 0o644)
}

/** The text on one line; undefined while the fetch does not run. */
export function readProgress(host: Host, kind: FetchKind): string | undefined {
  const text = host.files.read(fetches[kind].file)
  return text === undefined ? undefined : onOneLine(text)
}

export const hideProgress = (host: Host, kind: FetchKind): void => host.files.remove(fetches[kind].file)

/** Restarts the unit if a model is pending, which resumes the download; otherwise stops it. Does not wait. */
export async function orderFetch(host: Host, kind: FetchKind, isPending: boolean): Promise<void> {
  await host.$`systemctl ${isPending ? 'restart' : 'stop'} --no-block ${fetches[kind].unit}`
}
