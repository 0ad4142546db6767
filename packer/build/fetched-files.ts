/** Files that have been fetched, compared with their pins. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { sha256Of } from '../../lib/system/large-files.ts'
import { nameOf } from './one-apps.ts'

/** SHA-256 in hexadecimal, SHA-512 as npm writes it, or the commit of a checkout, a folder of that name. */
export type Expected = { name: string } & ({ sha256: string } | { integrity: string } | { commit: string })

/** The paths of all files and folders in the given folders, of which some may not exist. */
export const filesIn = (folders: string[]): string[] =>
  folders
    .filter(folder => existsSync(folder))
    .flatMap(folder =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name)),
    )

/** Compares whatever of the paths has the pin's name. */
export async function verifyFetched(
  expected: Expected,
  paths: string[],
): Promise<{ text: string; isWrong: boolean }> {
  const fetched = paths.filter(path => isCalled(path, expected))
  if (fetched.length === 0) return { text: 'not fetched', isWrong: false }
  for (const path of fetched) {
    const found = await digestLike(expected, path)
    if (found !== undefined) return { text: `WRONG: ${path} has ${found}`, isWrong: true }
  }
  return { text: `verified: ${fetched.join(', ')}`, isWrong: false }
}

/** Checkouts have a key in the cache, and a bundle has a bare repository. */
const isCalled = (path: string, expected: Expected) =>
  'commit' in expected
    ? [nameOf(path), basename(path, '.git')].includes(expected.name)
    : basename(path) === expected.name

/** The digest of a file, of the kind that is expected, if it is not the expected one. */
async function digestLike(expected: Expected, path: string): Promise<string | undefined> {
  if ('commit' in expected) {
    const options = ['-c', 'safe.directory=*', '-C', path]
    const head = execFileSync('git', [...options, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim()
    return head === expected.commit ? undefined : `commit ${head}`
  }
  if (!statSync(path).isFile()) return 'no content: it is not a file'
  if ('sha256' in expected) {
    const sha256 = await sha256Of(path)
    return sha256 === expected.sha256 ? undefined : `SHA-256 ${sha256}`
  }
  const integrity = `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`
  return integrity === expected.integrity ? undefined : integrity
}
