/** The Debian 13 disk that a bake starts from, with the context agent of a checkout of the framework. */
import { basename, join } from 'node:path'
import { debian } from '../../lib/appliance/pins.ts'
import { sha256Of } from '../../lib/system/large-files.ts'
import { asRoot } from './as-root.ts'
import { onThisMachine, type ServedBundle } from './bundle/server.ts'
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

/** Creates the disk in a folder. `additional`: packages to be downloaded as well, and not installed. */
export const makeBaseImage = (
  oneAppsDir: string,
  path: string,
  {
    environment = {},
    additional = [],
  }: { environment?: Record<string, string> | undefined; additional?: string[] },
): Promise<void> =>
  step('Debian 13 base image (mmdebstrap)', () => {
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    const command = ['env', ...variables, script, oneAppsDir, path, ...additional]
    return runLogged('base-image', asRoot(command), { show: /^I: / })
  })

/**
 * Creates the disk unless it is cached: one per framework, script and month, so that its packages are at most a month
 * old, or per bundle. Without a bundle, what a bake installs is always current.
 */
export async function baseImage(oneAppsDir: string, bundle?: ServedBundle): Promise<BaseImage> {
  const month = new Date().toISOString().slice(0, 7)
  const inputs = [
    bundle?.key ?? month,
    JSON.stringify(debian),
    ...contentOf(script),
    ...contentOf(join(oneAppsDir, 'context-linux')),
  ]
  const folder = await cached(`base-${nameOf(oneAppsDir)}`, inputs, path =>
    makeBaseImage(oneAppsDir, path, { environment: bundle && { BUNDLE_SERVER: onThisMachine(bundle) } }),
  )
  return { name: basename(folder), disk: join(folder, 'disk.qcow2'), kernel: join(folder, 'vmlinuz') }
}
