/** Files and folders as inputs of the cache. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Path, mode and content of every file below a folder, sorted by name; or of a single file. */
export function contentOf(path: string): (string | Buffer)[] {
  if (statSync(path).isFile()) return [basename(path), modeOf(path), readFileSync(path)]
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => !entry.isDirectory())
    .map(entry => ({ path: join(entry.parentPath, entry.name), isLink: entry.isSymbolicLink() }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap(({ path: file, isLink }) => [
      file.slice(path.length),
      ...(isLink ? [readlinkSync(file)] : [modeOf(file), readFileSync(file)]),
    ])
}

const modeOf = (path: string) => (statSync(path).mode & 0o111 ? 'x' : '-')
