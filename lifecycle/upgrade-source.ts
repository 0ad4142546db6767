/** What an upgrade is made from: whether it is trusted, whether it fits on the disk, and what it would change. */

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { paths } from '../lib/appliance/paths.ts'
import { publicKeyIn } from '../lib/appliance/upgrade/public-key.ts'
import { downgradeProblem, type Version } from '../lib/appliance/upgrade/version.ts'
import { installedRelease } from '../lib/steps/models/release.ts'
import { sizeOf, type Trust, type Unpacked, unpack } from '../lib/steps/upgrade/archive.ts'
import { currentVersion, isKept } from '../lib/steps/upgrade/versions.ts'
import type { Host } from '../lib/system/host.ts'
import { freeBytes, readable } from '../lib/system/large-files.ts'
import { print } from '../lib/system/plain-text.ts'

/** `source`: an archive, or the folder that it unpacks to. `publicKey`: the text of minisign's file. */
export type UpgradeSource = { source: string; publicKey?: string | undefined; unsigned: boolean }

/** Bytes that llama.cpp takes when unpacked, and a reserve for logs and state. */
const reserve = 400e6

/** The key that a release must be signed with: the one given, else the one in the image. */
export function trustIn(host: Host, { publicKey, unsigned }: UpgradeSource): Trust {
  if (unsigned) return { unsigned }
  const given = publicKey === undefined ? undefined : keyIn(publicKey)
  const key = given ?? installedRelease(host).signedBy
  if (key !== undefined) return { publicKey: key }
  throw new Error(
    'This image does not know the key that releases are signed with. Fix: name it with --public-key FILE. To install ' +
      'a release without checking who made it, add --unsigned.',
  )
}

function keyIn(text: string): string {
  const key = publicKeyIn(text)
  if (key === undefined)
    throw new Error('--public-key: the file holds no public key, as minisign -G writes it.')
  return key
}

export async function checkSpace(host: Host, source: string, from: Version): Promise<void> {
  const kept = isKept(host, from) ? 0 : (host.files.status(paths.executable)?.size ?? 0)
  const needed = (await sizeOf(host, source)) + kept + reserve
  const free = freeBytes(host.files.at(host.files.status(paths.versions) ? paths.versions : paths.releases))
  if (free >= needed) return
  throw new Error(
    `The upgrade needs ${readable(needed)} in ${paths.versions}, and ${readable(free)} are free. Fix: enlarge the ` +
      "VM's disk in OpenNebula, or remove downloaded models that are not served.",
  )
}

/** What an upgrade would do. Changes nothing. */
export async function previewUpgrade(host: Host, options: UpgradeSource): Promise<void> {
  const trust = trustIn(host, options)
  const from = await currentVersion(host)
  await checkSpace(host, options.source, from)
  const work = mkdtempSync('/var/tmp/slm-copilot-upgrade-')
  try {
    const unpacked = await unpack(host, options.source, join(work, 'release'), trust)
    await describe(host, from, unpacked)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function describe(host: Host, from: Version, { folder, manifest }: Unpacked): Promise<void> {
  const problem = downgradeProblem(from.version, manifest.version)
  if (problem !== undefined) throw new Error(problem)
  const { tag } = installedRelease(host).llamaCpp
  host.log.info(`would upgrade from ${from.version} to ${manifest.version} (commit ${manifest.commit})`)
  host.log.info(
    `llama.cpp: ${tag === manifest.llamaCpp ? `stays ${tag}` : `${tag}, then ${manifest.llamaCpp}`}`,
  )
  await showChanges(host, `${folder}/slm-copilot`)
}

/** Prints what the release's configure would change. Throws if that would fail, as the upgrade then would, too. */
export async function showChanges(host: Host, executable: string): Promise<void> {
  const context = ['--context-file', host.files.at(paths.contextFile)]
  const { stdout, stderr, exitCode } =
    await host.query`${executable} configure ${context} --dry-run`.nothrow()
  print(stdout)
  if (exitCode !== 0) throw new Error(`The upgrade would fail, since its configure does: ${stderr.trim()}`)
}
