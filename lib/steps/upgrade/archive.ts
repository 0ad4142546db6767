/** A release archive on disk: unpacked into a folder, and verified, before anything in it is run. */

import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Release } from '../../appliance/models/release.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import {
  type ArchiveManifest,
  archiveFiles,
  digestProblems,
  parseManifest,
  parseMembers,
  parseSums,
  strangeMembers,
} from '../../appliance/upgrade/archive.ts'
import type { Host } from '../../system/host.ts'
import { sha256Of } from '../../system/large-files.ts'
import { stateFrom } from '../../system/state-files.ts'

/** `folder`: a real path. `sha256`: of the executable. */
export type Unpacked = { folder: string; manifest: ArchiveManifest; release: Release; sha256: string }

/** `minisign`: a public key, as minisign's -P takes it. `unsigned`: the signature is not checked. */
export type Trust = { publicKey: string } | { unsigned: true }

/**
 * Bytes of the archive's files when unpacked. Throws if it is not a release. `source`: a tar archive, or its
 * folder.
 */
export async function sizeOf(host: Host, source: string): Promise<number> {
  if (isFolder(source)) return filesIn(source).reduce((sum, { size }) => sum + size, 0)
  const members = await membersOf(host, source)
  return members.reduce((sum, { size }) => sum + size, 0)
}

/** Unpacks the archive into a new folder, and verifies signature and digests. Throws unless all is as it should be. */
export async function unpack(host: Host, source: string, folder: string, trust: Trust): Promise<Unpacked> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { mode: 0o700, recursive: true })
  if (isFolder(source)) copyFiles(source, folder)
  else await extract(host, source, folder)
  await checkSignature(host, folder, trust)
  await checkDigests(folder)

  const text = (name: string) => readFileSync(join(folder, name), 'utf8')
  const manifest = parseManifest(text(archiveFiles.manifest))
  const release = stateFrom(text(archiveFiles.release), {
    path: `${source}: ${archiveFiles.release}`,
    schema: stateFiles.release.schema,
    fix: 'take a release that this version can read; its notes say which',
  })
  return { folder, manifest, release, sha256: await sha256Of(join(folder, archiveFiles.executable)) }
}

const isFolder = (path: string) => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new Error(`${path} does not exist.`)
  return found.isDirectory()
}

const filesIn = (folder: string) =>
  readdirSync(folder).map(name => {
    const found = lstatSync(join(folder, name))
    if (!found.isFile()) throw new Error(`${join(folder, name)} is not a file: this is not a release.`)
    return { name, size: found.size }
  })

async function membersOf(host: Host, archive: string) {
  const { stdout, exitCode } =
    await host.query`tar --list --verbose --numeric-owner --file ${archive}`.nothrow()
  if (exitCode !== 0)
    throw new Error(`${archive} is not a whole tar archive: it is damaged, or was not fully copied.`)
  const members = parseMembers(stdout)
  const strange = strangeMembers(members)
  if (members.length === 0 || strange.length > 0)
    throw new Error(`${archive} is not a release: it has ${strange.slice(0, 3).join(', ') || 'no files'}.`)
  return members
}

async function extract(host: Host, archive: string, folder: string): Promise<void> {
  await membersOf(host, archive)
  const options = ['--strip-components=1', '--no-same-owner', '--no-same-permissions', '--directory', folder]
  await host.query`tar --extract --file ${archive} ${options}`
}

/** Without following links, in case somebody else can write to the folder. */
function copyFiles(source: string, folder: string): void {
  for (const { name } of filesIn(source))
    cpSync(join(source, name), join(folder, name), { errorOnExist: true })
}

/** Checks the signature of the list of digests with minisign(1). */
async function checkSignature(host: Host, folder: string, trust: Trust): Promise<void> {
  if ('unsigned' in trust) {
    host.log.warn('The signature of this release is not checked, as asked for by --unsigned.')
    return
  }
  const [sums, signature] = [archiveFiles.sums, archiveFiles.signature].map(name => join(folder, name))
  if (!readdirSync(folder).includes(archiveFiles.signature))
    throw new Error(`The release is not signed: it has no ${archiveFiles.signature}.`)
  const key = trust.publicKey
  const { exitCode, stdout, stderr } =
    await host.query`minisign -V -P ${key} -x ${signature ?? ''} -m ${sums ?? ''}`.nothrow()
  if (exitCode !== 0)
    throw new Error(
      `The release is not signed by the key ${key}: ${stderr.trim().split('\n')[0]}. Fix: download it again, ` +
        'from its publisher; or name the right key with --public-key FILE.',
    )
  host.log.info(`Signed by ${key}. ${/^Trusted comment: .*$/m.exec(stdout)?.[0] ?? ''}`)
}

async function checkDigests(folder: string): Promise<void> {
  const found = new Map<string, string>()
  for (const { name } of filesIn(folder))
    if (name !== archiveFiles.sums && name !== archiveFiles.signature)
      found.set(name, await sha256Of(join(folder, name)))
  const path = join(folder, archiveFiles.sums)
  if (!readdirSync(folder).includes(archiveFiles.sums))
    throw new Error(`This is not a release: it has no ${archiveFiles.sums}.`)
  const problems = digestProblems(parseSums(readFileSync(path, 'utf8')), found)
  const required = [archiveFiles.executable, archiveFiles.shim, archiveFiles.release, archiveFiles.manifest]
  problems.push(...required.filter(name => !found.has(name)).map(name => `${name} is missing`))
  if (problems.length > 0)
    throw new Error(`The release is damaged: ${[...new Set(problems)].join('; ')}. Fix: download it again.`)
}
