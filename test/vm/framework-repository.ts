/** The framework's stand-in as a Git repository, for builds that clone the framework at a commit. */
import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'

/** Creates the repository in a new folder. The same files give the same commit. */
export function makeFrameworkRepository(folder: string): { url: string; commit: string } {
  cpSync(join(import.meta.dirname, 'framework'), folder, { recursive: true })
  const date = '2026-01-01T00:00:00Z'
  const git = (...args: string[]) =>
    execFileSync(
      'git',
      ['-C', folder, '-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args],
      {
        encoding: 'utf8',
        env: { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
      },
    )
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--message=stand-in')
  return { url: folder, commit: git('rev-parse', 'HEAD').trim() }
}
