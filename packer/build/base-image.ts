/** The Debian 13 disk that a bake starts from, with the context agent of a checkout of the framework. */
import { basename, join } from 'node:path'
import { debian } from '../../lib/appliance/pins.ts'
import { sha256Of } from '../../lib/system/large-files.ts'
import { asRoot } from './as-root.ts'
import { cached } from './cache.ts'
import { contentOf } from './files.ts'
import { nameOf } from './one-apps.ts'
import { runLogged, step } from './progress.ts'

const script = join(import.meta.dirname, '..', 'base-image.sh')

/**
 * `name` changes with its content. `disk`: a bootable qcow2 (BIOS). `kernel`: its kernel, for the accelerator's test
 * boot, where it is known.
 */
export type BaseImage = { name: string; disk: string; kernel?: string }

/** A disk that somebody else has made, with the context agent in it. */
export const givenBaseImage = async (disk: string): Promise<BaseImage> => ({
  name: await sha256Of(disk),
  disk,
})

/**
 * Creates the disk unless it is cached: one per framework, script and month, so that its packages are at most a month
 * old. What a bake installs is always current.
 */
export async function baseImage(oneAppsDir: string): Promise<BaseImage> {
  const month = new Date().toISOString().slice(0, 7)
  const inputs = [
    month,
    JSON.stringify(debian),
    ...contentOf(script),
    ...contentOf(join(oneAppsDir, 'context-linux')),
  ]
  const folder = await cached(`base-${nameOf(oneAppsDir)}`, inputs, path =>
    step('Debian 13 base image (mmdebstrap)', () =>
      runLogged('base-image', asRoot([script, oneAppsDir, path]), { show: /^I: / }),
    ),
  )
  return { name: basename(folder), disk: join(folder, 'disk.qcow2'), kernel: join(folder, 'vmlinuz') }
}
