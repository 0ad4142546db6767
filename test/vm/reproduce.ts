/** `make reproduce`: bakes the small image twice from the same inputs, and compares the images' files. */
import { linkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { bakeName } from '../../packer/build/bake.ts'
import { versionsOf, withTemporaryFolder } from '../../packer/build/cache.ts'
import { reportOn, treeOf } from '../../packer/build/image-tree.ts'
import { oneAppsDir, withBake } from './image.ts'

/** Removes what is cached: both bakes need the same mirror, whose address is in the image. */
function forgetBake(): void {
  for (const version of versionsOf(bakeName(oneAppsDir()))) rmSync(version, { recursive: true })
}

const { first, second } = await withBake(bake =>
  withTemporaryFolder('reproduce', async folder => {
    forgetBake()
    const kept = join(folder, 'first.qcow2')
    linkSync((await bake()).disk, kept)
    forgetBake()
    return { second: treeOf((await bake()).disk), first: treeOf(kept) }
  }),
)
const { text, isExplained } = reportOn(first, second)
console.log(text)
process.exitCode = isExplained ? 0 : 1
