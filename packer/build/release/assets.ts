/** What is uploaded for a release: a folder with the files, what is new, and checksums of all. */
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { sha256Of } from '../../../lib/system/large-files.ts'
import { names } from '../image/export.ts'

/** `size` in bytes. */
type Asset = { name: string; size: number; sha256: string }

/** `present`: paths of files to upload. `absent`: what has not been built, each with the command that builds it. */
export type AssetSources = { present: string[]; marketplace: string | undefined; absent: string[] }

/** What there is in `dist`, besides what is built for each release. */
export function sourcesIn(dist: string, built: string[]): AssetSources {
  const image = join(dist, 'image')
  const hasImage = existsSync(join(image, names.manifest))
  const marketplace = join(dist, 'marketplace')
  const hasMarketplace = existsSync(marketplace)
  return {
    present: [...built, ...(hasImage ? readdirSync(image).map(name => join(image, name)) : [])],
    marketplace: hasMarketplace ? marketplace : undefined,
    absent: [
      ...(hasImage ? [] : ['the image: make image']),
      ...(hasMarketplace ? [] : ['the marketplace files: make marketplace']),
    ],
  }
}

/** The image's own lists, which this folder's replaces. */
const isOwnList = (path: string) => [names.sha256, names.md5].some(name => basename(path).startsWith(name))

/** Writes the folder anew, whole or not at all. `seconds`: the commit's time, for files in archives. */
export async function writeAssets(
  folder: string,
  sources: AssetSources,
  notes: string,
  seconds: number,
): Promise<Asset[]> {
  const partial = `${folder}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  for (const path of sources.present) if (!isOwnList(path)) linkOrCopy(path, join(partial, basename(path)))
  if (sources.marketplace) pack(sources.marketplace, join(partial, 'marketplace.tar.gz'), seconds)
  writeFileSync(join(partial, 'NOTES.md'), `${notes}\n`)

  const assets: Asset[] = []
  for (const name of readdirSync(partial).sort()) {
    const path = join(partial, name)
    assets.push({ name, size: statSync(path).size, sha256: await sha256Of(path) })
  }
  const sums = assets.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('')
  writeFileSync(join(partial, names.sha256), sums)
  rmSync(folder, { recursive: true, force: true })
  renameSync(partial, folder)
  return assets
}

/** An image has 14 GB: on the same file system, a second name for it is enough. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to) // another file system, or one without hard links
  }
}

/** The same folder gives the same bytes. */
export function pack(folder: string, archive: string, seconds: number): void {
  const same = [
    '--sort=name',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=u=rwX,go=rX',
    `--mtime=@${seconds}`,
  ]
  const where = ['-C', dirname(folder), basename(folder)]
  execFileSync('tar', [...same, '-I', 'gzip -n', '-cf', archive, ...where])
}
