/** The image of this checkout: the current executable, a local mirror, and the chosen framework. */
import { join, resolve } from 'node:path'
import { releaseSchema } from '../../lib/appliance/models/release.ts'
import { type Accelerator, chooseAccelerator } from '../../packer/build/accelerator.ts'
import { type Baked, bake } from '../../packer/build/bake.ts'
import { baseImage } from '../../packer/build/base-image.ts'
import { cached } from '../../packer/build/cache.ts'
import { buildExecutable, shim } from '../../packer/build/executable.ts'
import { compressDisk } from '../../packer/build/image/export.ts'
import { nameOf } from '../../packer/build/one-apps.ts'
import { step } from '../../packer/build/progress.ts'
import { releaseValue, startMirror } from '../mirror/mirror.ts'
import { hostSeenByGuest } from './machine.ts'

/** The framework for the image: a checkout of OpenNebula/one-apps, or the stand-in. */
export const oneAppsDir = (): string =>
  resolve(process.env.ONE_APPS_DIR || join(import.meta.dirname, 'framework'))

/** Of the small image. */
export const size = { memory: 2048, disk: '8192M' }

/** Faster than zlib, the default of `make image`. */
export const compression = 'zstd'

/** `disk`: compressed, as `make image` exports it. */
export type Image = { disk: string; accelerator: Accelerator; executable: string }

/** Builds everything from the sources to the baked disk, unless it is cached. */
export const makeImage = (): Promise<Image> =>
  withBake(async (bake, image) => {
    const baked = await bake()
    const disk = await cached(`exported-${nameOf(oneAppsDir())}.qcow2`, [baked.inputs], path =>
      step('Compress', () => compressDisk(baked.disk, compression, path)),
    )
    return { ...image, disk }
  })

/** Builds what a bake needs, and bakes the same as often as the function asks for it. */
export async function withBake<T>(
  act: (bake: () => Promise<Baked>, image: Omit<Image, 'disk'>) => Promise<T>,
): Promise<T> {
  const executable = await step('Executable', buildExecutable)
  // llama-server is compiled on all cores; the base image, and a kernel that does not boot, leave them time.
  const [, accelerator] = await Promise.all([
    releaseValue(''),
    baseImage(oneAppsDir()).then(({ kernel }) => chooseAccelerator(kernel)),
  ])

  const mirror = await startMirror()
  try {
    const release = releaseSchema.parse(await releaseValue(`http://${hostSeenByGuest}:${mirror.port}`))
    const inputs = { oneAppsDir: oneAppsDir(), executable, shim, release, size, sshTimeout: '30m' }
    return await act(() => bake(inputs), { accelerator, executable })
  } finally {
    await mirror.close()
  }
}
