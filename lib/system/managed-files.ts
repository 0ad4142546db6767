/** Files managed by the appliance, as values, and the only function that writes them to disk. */
import type { Host } from './host.ts'
import { plain, print } from './plain-text.ts'
import { $ } from './shell.ts'

export type ManagedFile =
  | { path: string; mode: number; text: string }
  | { path: string; link: string }
  | { path: string; mode: number; folder: true }
  | { path: string; absent: true }

type FileOutcome = 'created' | 'updated' | 'unchanged' | 'removed'
export type Change = { path: string; outcome: FileOutcome }

/** The outcome that applying a file would have. */
export function outcomeOf(host: Host, file: ManagedFile): FileOutcome {
  const status = host.files.status(file.path)
  if ('absent' in file) return status === undefined ? 'unchanged' : 'removed'
  if (status === undefined) return 'created'
  if ('link' in file) return host.files.target(file.path) === file.link ? 'unchanged' : 'updated'
  if (status.mode !== file.mode) return 'updated'
  if ('folder' in file) return status.isFolder ? 'unchanged' : 'updated'
  return host.files.read(file.path) === file.text ? 'unchanged' : 'updated'
}

function write(host: Host, file: ManagedFile) {
  if ('absent' in file) host.files.remove(file.path)
  else if ('link' in file) host.files.replaceLink(file.path, file.link)
  else if ('folder' in file) host.files.makeFolder(file.path, file.mode)
  else host.files.replace(file.path, file.text, file.mode)
}

/**
 * Warnings about secret files that were readable by others, or are symbolic links. Applying the files
 * corrects that, but others may have read them before.
 */
export const exposureNotes = (host: Host, files: ManagedFile[]): string[] =>
  files.flatMap(file => {
    const status = host.files.status(file.path)
    if (!('text' in file) || (file.mode & 0o077) !== 0 || status === undefined) return []
    if (status.isLink) return [`${file.path} was a symbolic link, and has been replaced by a file.`]
    if ((status.mode & 0o077) === 0) return []
    return [
      `${file.path} was readable by others (mode 0${status.mode.toString(8)}); its mode has been corrected. ` +
        'Replace its content if somebody may have read it.',
    ]
  })

/** Without control characters, which a terminal would interpret: parts of the text are untrusted. */
const legible = (file: ManagedFile): ManagedFile =>
  'text' in file ? { ...file, text: plain(file.text) } : file

/** What applying the files would do to each. */
export const changesOf = (host: Host, files: ManagedFile[]): Change[] =>
  files.map(file => ({ path: file.path, outcome: outcomeOf(host, legible(file)) }))

/** Writes the files that differ, in order and each atomically, and returns the outcome for each. */
export async function applyFiles(host: Host, files: ManagedFile[]): Promise<Change[]> {
  const changes: Change[] = []
  for (const file of files.map(legible)) {
    const outcome = outcomeOf(host, file)
    if (outcome !== 'unchanged') {
      if (host.files.isReadOnly) await showDifference(host, file)
      write(host, file)
      host.log.info(`${file.path}: ${host.files.isReadOnly ? `would be ${outcome}` : outcome}`)
    }
    changes.push({ path: file.path, outcome })
  }
  return changes
}

/** Prints what a dry run would change. Files that are not world-readable, before or after, are not shown. */
async function showDifference(host: Host, file: ManagedFile) {
  if (!('text' in file) || (file.mode & 0o004) === 0) return
  const status = host.files.status(file.path)
  if (status !== undefined && (status.mode & 0o004) === 0) return
  print(status === undefined ? additions(file.text) : await difference(host, file.path, file.text))
}

const additions = (text: string) => text.replaceAll(/^(?=.)/gm, '+')

/** diff(1) of the file on disk and a new text; its exit code is 1 if they differ. */
async function difference({ files }: Host, path: string, text: string): Promise<string> {
  const labels = ['--label', path, '--label', path]
  return (await $({ input: text })`diff -u ${labels} ${files.at(path)} -`.nothrow()).stdout
}
