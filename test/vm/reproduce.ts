/** `make reproduce`: bakes the small image twice from the same inputs, and compares the images' files. */
import { linkSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheFolder } from '../../packer/build/cache.ts'
import { reportOn, treeOf } from '../../packer/build/image-tree.ts'
import { withBake } from './image.ts'

const { first, second } = await withBake(async bake => {
  const { disk } = await bake()
  const folder = mkdtempSync(join(cacheFolder, '.reproduce-'))
  try {
    const kept = join(folder, 'first.qcow2')
    linkSync(disk, kept)
    // So that it is not taken from the cache.
    rmSync(dirname(disk), { recursive: true })
    return { second: treeOf((await bake()).disk), first: treeOf(kept) }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
const { text, isExplained } = reportOn(first, second)
console.log(text)
process.exitCode = isExplained ? 0 : 1
