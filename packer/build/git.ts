/** Commits, tags and changed files of Git checkouts. */
import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'

/** A checkout may belong to somebody else: under sudo, or in a container. */
const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'safe.directory=*', '-C', folder, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()

/** For `git fetch` from a folder that may belong to somebody else, such as a copy on another disk. */
export const fromAnyOwner = "--upload-pack=git -c safe.directory='*' upload-pack"

/** What a bare repository's branch points at. */
export const commitOfBranch = (repository: string, branch: string): string =>
  git(repository, 'rev-parse', '--verify', `refs/heads/${branch}`)

/** The folder's commit, with `-dirty` if it has uncommitted changes; null if it is not a checkout of its own. */
export function commitOf(folder: string): string | null {
  try {
    if (git(folder, 'rev-parse', '--show-toplevel') !== realpathSync(folder)) return null
    return `${git(folder, 'rev-parse', 'HEAD')}${git(folder, 'status', '--porcelain') && '-dirty'}`
  } catch {
    return null // not in a checkout, without a commit, or git is not installed
  }
}

/** The commit of a tag, annotated or not; undefined if there is no such tag. */
export const commitOfTag = (folder: string, tag: string): string | undefined =>
  git(folder, 'for-each-ref', '--format=%(*objectname) %(objectname)', `refs/tags/${tag}`)
    .split(' ')
    .find(commit => commit !== '')

/** Files that have been changed since the commit, or that Git does not know, each with Git's letters for it. */
export const changedFiles = (folder: string): string[] =>
  git(folder, 'status', '--porcelain')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')

/** When the commit was made, in seconds since 1970. */
export const timeOf = (folder: string, commit: string): number =>
  Number(git(folder, 'show', '--no-patch', '--format=%ct', commit))
