/** What an image is, read from the bake and from the exported file. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Release } from '../../../lib/appliance/models/release.ts'
import packageFile from '../../../package.json' with { type: 'json' }
import type { Baked } from '../bake.ts'
import { type ImageFile, names } from './export.ts'
import type { Manifest } from './manifest.ts'

/** The software bill of materials that the bake has left, if it has. */
export function sbomOf({ facts }: Baked): string | undefined {
  const path = join(facts, names.sbom)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

type Origin = { release: Release; commits: Manifest['commits']; sbom: string | undefined }

export function describeImage(
  baked: Baked,
  image: ImageFile,
  { release: { llamaCpp, model }, commits, sbom }: Origin,
): Manifest {
  const os = parseEnv(readFileSync(join(baked.facts, 'os-release'), 'utf8'))
  return {
    name: 'SLM-Copilot',
    version: packageFile.version,
    image: image.image,
    format: 'qcow2',
    compression: image.compression,
    size: virtualSize(baked.disk),
    fileSize: image.fileSize,
    sha256: image.sha256,
    md5: image.md5,
    creationTime: image.creationTime,
    os: { id: os.NAME ?? '', release: os.VERSION_ID ?? '', arch: 'x86_64' },
    commits,
    llamaCpp: { tag: llamaCpp.tag, sha256: llamaCpp.archive.sha256 },
    model: {
      name: model.name,
      size: model.size,
      sha256: model.sha256,
      ...(model.licence && { licence: model.licence }),
    },
    ...(sbom && { sbom: { file: names.sbom, sha256: createHash('sha256').update(sbom).digest('hex') } }),
    inputs: baked.inputs,
  }
}

const virtualSize = (disk: string): number => {
  const info = execFileSync('qemu-img', ['info', '--output=json', disk], { encoding: 'utf8' })
  return (JSON.parse(info) as { 'virtual-size': number })['virtual-size']
}
