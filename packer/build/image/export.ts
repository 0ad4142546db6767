/** The folder of the exported image: compressed, described, with checksums. Only what differs is written. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { filesUnder } from '../../../lib/system/files.ts'
import { syncFile } from '../../../lib/system/large-files.ts'
import { runLogged, step } from '../progress.ts'
import { type Compression, type Manifest, readManifest } from './manifest.ts'

const files = filesUnder('/')

export const names = {
  image: 'slm-copilot.qcow2',
  manifest: 'manifest.json',
  /** As one-apps names and writes it. */
  oneAppsManifest: 'slm-copilot.yaml',
  sbom: 'sbom.cdx.json',
  sha256: 'SHA256SUMS',
  md5: 'MD5SUMS',
} as const

/** A signature bears the signed file's name, and this. */
const signatureExtension = '.minisig'
const partialExtension = '.partial'

/** What can be said about the image's file. */
export type ImageFile = Pick<
  Manifest,
  'image' | 'compression' | 'fileSize' | 'creationTime' | 'sha256' | 'md5'
>

type ExportSource = { disk: string; inputs: string; compression: Compression }

/** Compresses a disk into the folder, unless the image there was made from the same inputs. */
export async function exportDisk(
  { disk, inputs, compression }: ExportSource,
  folder: string,
): Promise<ImageFile> {
  files.makeFolder(folder, 0o755)
  const known = knownImage(folder, inputs, compression)
  if (known) return known

  // None of it is about the next image; and the image itself is the last to go.
  for (const name of Object.values(names).toReversed())
    for (const suffix of ['', signatureExtension, partialExtension])
      files.remove(join(folder, `${name}${suffix}`))
  const path = join(folder, names.image)
  await step('Compress', () => compressDisk(disk, compression, path))
  const digests = await step('SHA-256 and MD5', () => digestsOf(path))
  return { ...statusOf(path), compression, ...digests }
}

/** The image in the folder, if its manifest has these inputs, and the file has not been changed since. */
function knownImage(folder: string, inputs: string, compression: Compression): ImageFile | undefined {
  const path = join(folder, names.image)
  const manifest = manifestIn(folder)
  if (manifest === undefined || !existsSync(path)) return undefined
  if (manifest.inputs !== inputs || manifest.compression !== compression) return undefined
  const found = statusOf(path)
  const isSame = manifest.fileSize === found.fileSize && manifest.creationTime === found.creationTime
  return isSame ? { ...found, compression, sha256: manifest.sha256, md5: manifest.md5 } : undefined
}

function manifestIn(folder: string): Manifest | undefined {
  try {
    return readManifest(join(folder, names.manifest))
  } catch {
    return undefined // of another version, or damaged: as good as none
  }
}

const statusOf = (path: string) => {
  const { size, mtimeMs } = statSync(path)
  return { image: names.image, fileSize: size, creationTime: Math.floor(mtimeMs / 1000) }
}

/** Copies no free clusters. Without out-of-order writes, so that the same disk becomes the same file. */
export async function compressDisk(disk: string, compression: Compression, path: string): Promise<void> {
  const partial = `${path}${partialExtension}`
  const options = [
    '-p',
    '-c',
    '-m',
    '8',
    '-f',
    'qcow2',
    '-O',
    'qcow2',
    '-o',
    `compression_type=${compression}`,
  ]
  await runLogged('compress', ['qemu-img', 'convert', ...options, disk, partial])
  syncFile(partial)
  files.rename(partial, path)
}

/** Both in one pass. */
async function digestsOf(path: string): Promise<Pick<Manifest, 'sha256' | 'md5'>> {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')]
  for await (const chunk of createReadStream(path, { highWaterMark: 4 << 20 })) {
    sha256.update(chunk)
    md5.update(chunk)
  }
  return { sha256: sha256.digest('hex'), md5: md5.digest('hex') }
}

/**
 * Writes files beside the image, and the checksums of all. Checksums and signatures never outlive what they are
 * about.
 */
export function writeBeside(folder: string, image: ImageFile, texts: Record<string, string>): void {
  const sums = {
    [names.sha256]: checksums({ [image.image]: image.sha256, ...digestsOfTexts('sha256', texts) }),
    [names.md5]: checksums({ [image.image]: image.md5, ...digestsOfTexts('md5', texts) }),
  }
  const isWritten = ([name, text]: [string, string]) => files.read(join(folder, name)) === text
  const changed = Object.entries({ ...texts, ...sums }).filter(entry => !isWritten(entry))
  if (changed.length === 0) return
  for (const [name] of changed) files.remove(join(folder, `${name}${signatureExtension}`))
  for (const name of Object.keys(sums)) files.remove(join(folder, name))
  for (const [name, text] of Object.entries({ ...texts, ...sums }))
    files.replace(join(folder, name), text, 0o644)
}

const digestsOfTexts = (algorithm: string, texts: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, createHash(algorithm).update(text).digest('hex')]),
  )

/** As `sha256sum --check` reads them. */
const checksums = (digests: Record<string, string>) =>
  Object.entries(digests)
    .map(([name, digest]) => `${digest}  ${name}\n`)
    .join('')
