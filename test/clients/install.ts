/** Installs the clients from npm into the cache: pinned, and verified against the lock file. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from '../../packer/build/cache.ts'
import { runLogged, step } from '../../packer/build/progress.ts'

const inputs = ['package.json', 'package-lock.json', '.npmrc'].map(name => join(import.meta.dirname, name))

/** Returns a folder with the clients in `node_modules`: those that `make test` runs (0.4 GB), or all (1.7 GB). */
export const installedClients = (which: 'some' | 'all'): Promise<string> =>
  cached(
    `clients-${which}`,
    inputs.map(path => readFileSync(path)),
    path =>
      step(`clients from npm: ${which}`, async () => {
        mkdirSync(path)
        for (const input of inputs) copyFileSync(input, join(path, input.slice(import.meta.dirname.length)))
        await runLogged(
          `clients-${which}`,
          ['npm', 'ci', '--no-progress', ...(which === 'some' ? ['--omit=dev'] : [])],
          { cwd: path },
        )
      }),
  )
