/** The archive for `slm-copilot upgrade`: executable, shim, llama.cpp and catalogue, with digests and signature. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Release } from '../../../lib/appliance/models/release.ts'
import { stateFiles } from '../../../lib/appliance/state-files.ts'
import { type ArchiveManifest, archiveFiles, archiveFormat } from '../../../lib/appliance/upgrade/archive.ts'
import { download } from '../../../lib/system/download.ts'
import { openHost } from '../../../lib/system/host.ts'
import { sha256Of } from '../../../lib/system/large-files.ts'
import { cacheFolder } from '../cache.ts'
import { signFiles } from '../image/sign.ts'
import { pack } from './assets.ts'

export type ArchiveInputs = {
  version: string
  commit: string
  executable: string
  shim: string
  /** What is to be installed; its model is only for appliances that have no other. */
  release: Release
  /** The file that `release` names. */
  llamaCpp: string
  /** The commit's time, for the files in the archive. */
  seconds: number
  /** A minisign secret key. */
  signKey?: string | undefined
}

const archiveName = (version: string) => `slm-copilot-${version}.tar.gz`

/** Writes the archive into a folder, and returns its path. The same inputs give the same files in it. */
export async function writeArchive(folder: string, inputs: ArchiveInputs): Promise<string> {
  const { version, commit, release, signKey } = inputs
  const work = mkdtempSync(join(tmpdir(), 'release-'))
  const content = join(work, `slm-copilot-${version}`)
  const at = (name: string) => join(content, name)
  try {
    mkdirSync(content)
    copyFileSync(inputs.executable, at(archiveFiles.executable))
    copyFileSync(inputs.shim, at(archiveFiles.shim))
    copyFileSync(inputs.llamaCpp, at(archiveFiles.llamaCpp))
    writeFileSync(at(archiveFiles.release), json(release))
    const manifest: ArchiveManifest = {
      name: 'SLM-Copilot',
      format: archiveFormat,
      version,
      commit,
      llamaCpp: release.llamaCpp.tag,
    }
    writeFileSync(at(archiveFiles.manifest), json(manifest))
    writeFileSync(at(archiveFiles.sums), await sumsOf(content))
    if (signKey) signFiles([at(archiveFiles.sums)], signKey, `SLM-Copilot ${version}, commit ${commit}`)
    const archive = join(folder, archiveName(version))
    pack(content, archive, inputs.seconds)
    return archive
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

const { sums: _, signature: __, ...summed } = archiveFiles

async function sumsOf(folder: string): Promise<string> {
  const lines: string[] = []
  for (const name of Object.values(summed).sort())
    lines.push(`${await sha256Of(join(folder, name))}  ${name}\n`)
  return lines.join('')
}

/** llama.cpp's archive, downloaded to the cache unless it is there. */
export async function fetchLlamaCpp({ llamaCpp }: Release): Promise<string> {
  const { url, size, sha256 } = llamaCpp.archive
  const path = join(cacheFolder, 'downloads', basename(url))
  const proofs = { ...stateFiles.fileProofs, path: join(cacheFolder, 'downloads', 'verified.json') }
  await download(openHost({ env: {} }), { url, size, sha256, path, proofs })
  return path
}
