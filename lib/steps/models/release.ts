/** The installed release: llama.cpp, the model's weights, and the record of both. */

import type { Model } from '../../appliance/models/catalogue.ts'
import { bakedModels, mirrored, productionRelease, type Release } from '../../appliance/models/release.ts'
import { paths } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import { download } from '../../system/download.ts'
import type { Host } from '../../system/host.ts'
import { sha256Of } from '../../system/large-files.ts'
import { requireState, stateFile, stateFrom } from '../../system/state-files.ts'
import { removeProven } from '../../system/verified-files.ts'
import { checksumFile } from './expected-digests.ts'
import { downloadModel, isVerified, modelFile } from './model-file.ts'

/** The release in the given file, or the production release. */
export const chooseRelease = (file: { path: string; text: string } | undefined): Release =>
  file === undefined
    ? productionRelease
    : stateFrom(file.text, {
        path: `--release ${file.path}`,
        schema: stateFiles.release.schema,
        fix: 'pass a release file',
      })

/** The release that install has recorded. Throws if there is none. */
export const installedRelease = (host: Host): Release => requireState(host, stateFiles.release)

export const releaseFile = (release: Release) => stateFile(stateFiles.release, release)

const proofs = stateFiles.fileProofs

/** Downloads llama.cpp and unpacks it into a folder named by its tag, which appears only when complete. */
export async function installLlamaCpp(host: Host, { llamaCpp }: Release, mirror?: string): Promise<void> {
  const folder = `${paths.releases}/${llamaCpp.tag}`
  const path = `${paths.releases}/${llamaCpp.tag}.tar.gz`
  if (host.files.status(folder) === undefined) {
    await download(host, { ...mirrored(mirror, llamaCpp.archive), path, proofs })
    await host.perform(`unpack ${path} into ${folder}`, () => unpackInto(host, path, folder))
  }
  // Also if a run was killed before this.
  removeProven(host, { path, proofs })
}

async function unpackInto(host: Host, archive: string, folder: string) {
  const unpacking = `${paths.releases}/.unpacking`
  await unpack(host, archive, unpacking)
  // Before the name says that it is complete: a power cut might otherwise leave empty files.
  await host.$`sync --file-system ${host.files.at(unpacking)}`
  host.files.rename(unpacking, folder)
}

/** Unpacks an archive without its single top-level folder. */
async function unpack(host: Host, archive: string, folder: string) {
  host.files.remove(folder)
  host.files.makeFolder(folder, 0o755)
  const [from, to] = [host.files.at(archive), host.files.at(folder)]
  const options = ['--gzip', '--strip-components=1', '--no-same-owner', '--no-same-permissions']
  // If this process is killed, tar must not keep writing into what the next one unpacks.
  await host.$`setpriv --pdeathsig=KILL tar --extract ${options} --file ${from} --directory ${to}`
  await host.$`chmod --recursive u=rwX,go=rX ${to}`
  await recordChecksums(host, folder)
}

/** Records the digests of files just unpacked from a verified archive, for `slm-copilot verify` and sha256sum. */
async function recordChecksums({ $, files }: Host, folder: string) {
  const { stdout } = await $`find ${files.at(folder)} -type f -printf ${'%P\\n'}`
  const lines: string[] = []
  for (const name of stdout.split('\n').filter(Boolean).sort())
    lines.push(`${await sha256Of(`${files.at(folder)}/${name}`)}  ${name}\n`)
  files.replace(`${folder}/${checksumFile}`, lines.join(''), 0o644)
}

/** Downloads the weights that belong in the image. */
export async function installModels(host: Host, release: Release, mirror?: string): Promise<void> {
  for (const model of bakedModels(release))
    await downloadModel(host, { model, url: mirrored(mirror, model).url })
}

/**
 * A note if the weights have changed since their SHA-256 was verified, judged by size, inode and modification
 * time: cheap enough for every boot. Recomputing the SHA-256 takes a minute or more, so the note says how to
 * do it.
 */
export function weightNotes(host: Host, model: Model): string[] {
  const { path, sha256 } = modelFile(model)
  if (host.files.status(path) === undefined || isVerified(host, model)) return []
  return [
    `${path} has changed since it was verified, or was never verified. Its SHA-256 must be ${sha256}: ` +
      '`slm-copilot verify` computes it, and `slm-copilot install` downloads the file again where it differs.',
  ]
}
