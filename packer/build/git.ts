/** Commits of Git checkouts. */
import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'

/** A checkout may belong to somebody else: under sudo, or in a container. */
const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'safe.directory=*', '-C', folder, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()

/** The folder's commit, with `-dirty` if it has uncommitted changes; null if it is not a checkout of its own. */
export function commitOf(folder: string): string | null {
  try {
    if (git(folder, 'rev-parse', '--show-toplevel') !== realpathSync(folder)) return null
    return `${git(folder, 'rev-parse', 'HEAD')}${git(folder, 'status', '--porcelain') && '-dirty'}`
  } catch {
    return null // not in a checkout, without a commit, or git is not installed
  }
}
