/** The Debian 12 disk that a bake starts from, with the context agent of a checkout of the framework. */
import { basename, join } from 'node:path'
import { debian } from '../../lib/appliance/pins.ts'
import { asRoot } from './as-root.ts'
import { cached } from './cache.ts'
import { contentOf } from './files.ts'
import { runLogged, step } from './progress.ts'

const script = join(import.meta.dirname, '..', 'base-image.sh')

/** `name`: its name in the cache. `disk`: a bootable qcow2 (BIOS). `kernel`: its kernel, for the accelerator's test boot. */
export type BaseImage = { name: string; disk: string; kernel: string }

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
  const folder = await cached(`base-${basename(oneAppsDir)}`, inputs, path =>
    step('Debian 12 base image (mmdebstrap)', () =>
      runLogged('base-image', asRoot([script, oneAppsDir, path]), { show: /^I: / }),
    ),
  )
  return { name: basename(folder), disk: join(folder, 'disk.qcow2'), kernel: join(folder, 'vmlinuz') }
}
