/** The framework: OpenNebula/one-apps at a pinned commit. */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { cached } from './cache.ts'
import { fromAnyOwner } from './git.ts'
import { runLogged, step } from './progress.ts'

/** `url`: as git takes it, so that a mirror or a local folder will do. */
export type GitSource = { url: string; commit: string }

/** A checkout of that commit, without its history, cloned unless it is cached. */
export const oneAppsCheckout = ({ url, commit }: GitSource): Promise<string> =>
  cached('one-apps', [commit], folder =>
    step(`Clone ${url} at ${commit.slice(0, 7)}`, async () => {
      // A server that sends nothing for a minute has stalled.
      const stallLimit = ['-c', 'http.lowSpeedLimit=1000', '-c', 'http.lowSpeedTime=60']
      const git = (name: string, ...args: string[]) =>
        runLogged(`one-apps-${name}`, ['git', ...args], { env: { GIT_TERMINAL_PROMPT: '0' } })
      await git('init', 'init', '--quiet', folder)
      const owner = existsSync(url) ? [fromAnyOwner] : []
      await git(
        'fetch',
        ...stallLimit,
        '-C',
        folder,
        'fetch',
        '--progress',
        '--depth=1',
        ...owner,
        url,
        commit,
      )
      await git('checkout', '-C', folder, 'checkout', '--quiet', '--detach', commit)
    }),
  )

/** A checkout's name in the names of what is made from it: its folder's, for a clone in the cache without the key. */
export const nameOf = (checkout: string): string => basename(checkout).replace(/-[0-9a-f]{12}$/, '')
