/** Models on an attached disk: linked from where downloaded ones are, and verified once, like those. */
import { modelsOf, type Release } from '../../appliance/models/release.ts'
import { modelPath, paths } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { Host } from '../../system/host.ts'
import { knownDigest } from '../../system/verified-files.ts'

/** The files in the disk's root, and in the folders there. */
function filesOnDisk(host: Host): string[] {
  const inFolder = (folder: string) => host.files.list(folder).map(name => `${folder}/${name}`)
  return inFolder(paths.modelsDisk).flatMap(path =>
    host.files.status(path)?.isFolder ? inFolder(path) : [path],
  )
}

/**
 * Links each model of the release that has not been downloaded to the file on the disk that has its size, unless its
 * digest is known to be another one. Returns notes on models that cannot be used.
 */
export function linkModels(host: Host, release: Release): string[] {
  const found = filesOnDisk(host)
    .filter(path => path.endsWith('.gguf'))
    .sort()
  return modelsOf(release).flatMap(({ name, size, sha256 }) => {
    const path = modelPath(name)
    const target = host.files.target(path)
    if (target === undefined && host.files.status(path) !== undefined) return []
    const candidates = found.filter(file => host.files.status(file)?.size === size)
    const digestOf = (file: string) => knownDigest(host, file, stateFiles.fileProofs)
    const file =
      candidates.find(each => digestOf(each) === sha256) ??
      candidates.find(each => digestOf(each) === undefined)
    if (file === undefined) return target === undefined ? [] : [gone(name, target)]
    if (((host.files.status(file)?.mode ?? 0) & 0o004) === 0)
      return [
        `${file}, on the disk with models, cannot be read by llama-server. Fix: chmod o+r, where the disk can be written.`,
      ]
    if (target !== file) host.files.replaceLink(path, file)
    return []
  })
}

const gone = (name: string, file: string) =>
  `${name} was served from ${file}, which is not there: the disk labelled for models is not attached, or has changed.`
