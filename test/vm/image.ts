/** The image of this checkout: the current executable, a local mirror, and the chosen framework. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Accelerator, chooseAccelerator } from '../../packer/build/accelerator.ts'
import { bake } from '../../packer/build/bake.ts'
import { baseImage } from '../../packer/build/base-image.ts'
import { buildExecutable, shim } from '../../packer/build/executable.ts'
import { step } from '../../packer/build/progress.ts'
import { releaseValue, startMirror, writeRelease } from '../mirror/mirror.ts'
import { hostSeenByGuest } from './vm.ts'

/** The framework for the image: a checkout of OpenNebula/one-apps, or the stand-in. */
const oneAppsDir = (): string => resolve(process.env.ONE_APPS_DIR || join(import.meta.dirname, 'framework'))

export type Image = { disk: string; accelerator: Accelerator; executable: string }

/** Builds everything from the sources to the baked disk, unless it is cached. */
export async function makeImage(): Promise<Image> {
  const executable = await step('Executable', buildExecutable)
  // llama-server is compiled on all cores, and the base image waits for the network most of the time.
  const [release, base] = await Promise.all([releaseValue(''), baseImage(oneAppsDir())])
  const key = JSON.stringify(release)
  const accelerator = await chooseAccelerator(base.kernel)

  const mirror = await startMirror()
  const folder = mkdtempSync(join(tmpdir(), 'release-'))
  const file = join(folder, 'release.json')
  try {
    await writeRelease(file, `http://${hostSeenByGuest}:${mirror.port}`)
    const disk = await bake({ oneAppsDir: oneAppsDir(), executable, shim, release: { file, key } })
    return { disk, accelerator, executable }
  } finally {
    await mirror.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
