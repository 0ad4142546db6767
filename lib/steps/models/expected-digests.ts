/** The digests that the files of this image should have, from the release and the bill of materials. */
import { type Checksum, parseChecksums } from '../../appliance/inventory/checksums.ts'
import { subjectIn } from '../../appliance/inventory/sbom.ts'
import { modelsOf, type Release } from '../../appliance/models/release.ts'
import { configureCommand, installCommand, modelPath, paths } from '../../appliance/paths.ts'
import type { Host } from '../../system/host.ts'
import { fileAt } from '../../system/verified-files.ts'

/** A file with its digest, and what to do if it is damaged or missing. */
export type ExpectedFile = { path: string; sha256: string; fix: string }
/** Files whose digests are not known, and why. */
type Unchecked = { what: string; reason: string }
export type Expectations = { files: ExpectedFile[]; unchecked: Unchecked[] }

export function expectedDigests(host: Host, release: Release, version: string): Expectations {
  const parts = [modelFiles(host, release), llamaFiles(host, release), executableFile(host, version)]
  return {
    files: parts.flatMap(({ files }) => files),
    unchecked: parts.flatMap(({ unchecked }) => unchecked),
  }
}

/** The baked-in model, and those that have been downloaded. */
function modelFiles(host: Host, release: Release): Expectations {
  const chat = modelsOf(release).map(model => ({ ...model, isBaked: model === release.model }))
  const files = [...chat, ...release.companions]
    .map(({ name, sha256, isBaked }) => ({ sha256, path: modelPath(name), isBaked: isBaked === true }))
    .filter(({ path, isBaked }) => isBaked || host.files.status(fileAt(host, path)) !== undefined)
    .map(({ path, sha256, isBaked }) => ({
      path,
      sha256,
      fix: isBaked ? installCommand : `rm ${path}, then: ${configureCommand} && slm-copilot bootstrap`,
    }))
  return { files, unchecked: [] }
}

/** llama.cpp's files, whose digests were recorded when its verified archive was unpacked. */
function llamaFiles(host: Host, { llamaCpp }: Release): Expectations {
  const folder = `${paths.releases}/${llamaCpp.tag}`
  const list = host.files.read(`${folder}/${checksumFile}`)
  if (list === undefined)
    return unknown(folder, `${checksumFile} is missing there: an older version unpacked it`)
  const fix = `rm -r ${folder}, then: ${installCommand}`
  return {
    files: parseChecksums(list).map(({ name, sha256 }: Checksum) => ({
      path: `${folder}/${name}`,
      sha256,
      fix,
    })),
    unchecked: [],
  }
}

/** The executable, whose digest is in the image's bill of materials. */
function executableFile(host: Host, version: string): Expectations {
  const text = host.files.read(paths.sbom)
  const subject = text === undefined ? undefined : subjectIn(text)
  if (subject === undefined) return unknown(paths.executable, `${paths.sbom} is missing`)
  if (subject.version !== version)
    return unknown(paths.executable, `${paths.sbom} is of version ${subject.version}, this is ${version}`)
  const fix = 'copy it from a release of this version, whose SHA256SUMS has its digest'
  return { files: [{ path: paths.executable, sha256: subject.digest, fix }], unchecked: [] }
}

const unknown = (what: string, reason: string): Expectations => ({ files: [], unchecked: [{ what, reason }] })

/** In the folder of a release of llama.cpp. */
export const checksumFile = 'SHA256SUMS'
