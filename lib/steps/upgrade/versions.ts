/** The versions on disk, the one in use, and the switch from one to another. */

import { modelsOf } from '../../appliance/models/release.ts'
import { modelPath, paths } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import { archiveFiles } from '../../appliance/upgrade/archive.ts'
import { upgradedRelease } from '../../appliance/upgrade/release.ts'
import { type Version, versionNamed, versionOf } from '../../appliance/upgrade/version.ts'
import type { Host } from '../../system/host.ts'
import { sha256Of } from '../../system/large-files.ts'
import { readState, requireState, stateFile } from '../../system/state-files.ts'
import type { Unpacked } from './archive.ts'

const { executable, shim, release } = archiveFiles

/** Files that only this version has written, one a line. */
const ownFiles = 'files'

const folderOf = ({ id }: Version) => `${paths.versions}/${id}`

/** A version's executable. */
export const executableOf = (version: Version) => `${folderOf(version)}/${executable}`

/** A version's record of its release. */
export const releaseOf = (version: Version) => `${folderOf(version)}/${release}`

/** Where a release is unpacked; no version's name begins with a dot. */
export const incoming = `${paths.versions}/.incoming`

const keeping = `${paths.versions}/.keeping`

/** The version in use: the executable is a link into its folder after the first upgrade, and a file before. */
export async function currentVersion(host: Host): Promise<Version> {
  const target = host.files.target(paths.executable)
  const id = target?.startsWith(`${paths.versions}/`) ? target.split('/').at(-2) : undefined
  if (id !== undefined) return versionNamed(id)
  const { stdout } = await host.query`${paths.executable} --version`
  return versionOf(stdout.trim(), await sha256Of(host.files.at(paths.executable)))
}

/** The version that a link names, if its files are there. */
function linkedVersion(host: Host, link: string): Version | undefined {
  const id = host.files.target(link)
  if (id === undefined) return undefined
  const version = versionNamed(id)
  return host.files.status(executableOf(version)) === undefined ? undefined : version
}

/** The version before the last upgrade, if there is one: none or one. */
export const previousVersions = (host: Host): Version[] => {
  const previous = linkedVersion(host, paths.previousVersion)
  return previous === undefined ? [] : [previous]
}

/** Whether the version in use is kept already, so that no space is needed for it. */
export const isKept = (host: Host, version: Version): boolean =>
  host.files.status(executableOf(version)) !== undefined

/** Keeps the version in use beside the new one, with the list of what it has written. */
export async function keepVersion(host: Host, version: Version): Promise<void> {
  if (!isKept(host, version)) {
    host.files.remove(keeping)
    host.files.makeFolder(keeping, 0o755)
    await host.$`cp --dereference --preserve=mode ${[paths.executable, `${keeping}/${executable}`]}`
    host.files.replace(`${keeping}/${shim}`, host.files.read(paths.shim) ?? '', 0o755)
    await host.$`sync --file-system ${keeping}`
    host.files.rename(keeping, folderOf(version))
  }
  const { mode, text } = stateFile(stateFiles.release, requireState(host, stateFiles.release))
  host.files.replace(releaseOf(version), text, mode)
  host.files.replace(`${folderOf(version)}/${ownFiles}`, (await writtenFiles(host)).join('\n'), 0o644)
}

/**
 * Places an unpacked release among the versions, with the models that are here. Its llama.cpp is ready to be
 * unpacked.
 */
export async function placeVersion(
  host: Host,
  version: Version,
  { release: offered }: Unpacked,
): Promise<void> {
  const installed = requireState(host, stateFiles.release)
  const [here, there] = [installed.llamaCpp, offered.llamaCpp]
  if (here.tag === there.tag && here.archive.sha256 !== there.archive.sha256)
    throw new Error(
      `The release has another llama.cpp than the installed one, under the same name ${here.tag}.`,
    )
  const present = [...modelsOf(installed), ...installed.companions]
    .map(({ name }) => name)
    .filter(name => host.files.status(modelPath(name)) !== undefined)
  const { mode, text } = stateFile(stateFiles.release, upgradedRelease(installed, offered, present))
  host.files.replace(`${incoming}/${release}`, text, mode)
  host.files.setMode(`${incoming}/${executable}`, 0o755)
  host.files.setMode(incoming, 0o755)
  const archive = `${incoming}/${archiveFiles.llamaCpp}`
  if (host.files.status(archive) !== undefined)
    host.files.rename(archive, `${paths.releases}/${offered.llamaCpp.tag}.tar.gz`)
  await host.$`sync --file-system ${host.files.at(incoming)}`
  host.files.remove(folderOf(version))
  host.files.rename(incoming, folderOf(version))
}

/** Makes the executable and the shim those of this version. */
export async function switchFiles(host: Host, version: Version): Promise<void> {
  await removeForeign(host, version)
  host.files.replace(paths.shim, host.files.read(`${folderOf(version)}/${shim}`) ?? '', 0o755)
  host.files.replaceLink(paths.executable, executableOf(version))
}

/** Files in /etc that carry the appliance's name, without certificates and settings. */
async function writtenFiles(host: Host): Promise<string[]> {
  const without = [paths.tls, paths.certbot, paths.settings].flatMap(path => ['-path', path, '-prune', '-o'])
  const { stdout, stderr, exitCode } =
    await host.query`find /etc ${without} -path *slm-copilot* ! -type d -print`.nothrow()
  if (exitCode !== 0) host.log.warn(`Not all files in /etc could be listed: ${stderr.trim()}`)
  return stdout.split('\n').filter(Boolean).sort()
}

/** Removes what another version has written and this one did not know, after stopping its units. */
async function removeForeign(host: Host, version: Version): Promise<void> {
  const known = host.files.read(`${folderOf(version)}/${ownFiles}`)?.split('\n')
  if (known === undefined) return
  const foreign = (await writtenFiles(host)).filter(path => !known.includes(path))
  const units = foreign
    .filter(path => path.startsWith(`${paths.unitFiles}/`) && /\.(service|timer|path|socket)$/.test(path))
    .map(path => path.split('/').at(-1) as string)
  for (const unit of new Set(units)) {
    const { exitCode, stderr } = await host.$`systemctl stop ${unit}`.nothrow()
    if (exitCode !== 0) host.log.warn(`${unit} could not be stopped: ${stderr.trim()}`)
  }
  for (const path of foreign) {
    host.files.remove(path)
    host.log.info(`${path}: removed`)
  }
}

/** Removes versions and releases of llama.cpp that nothing names any longer. */
export function pruneVersions(host: Host, kept: Version[]): void {
  for (const link of [paths.previousVersion, paths.fallbackVersion])
    if (linkedVersion(host, link) === undefined) host.files.remove(link)
  const names = new Set(kept.map(({ id }) => id))
  const links = [paths.previousVersion, paths.fallbackVersion].map(path => path.split('/').at(-1))
  for (const name of host.files.list(paths.versions))
    if (!names.has(name) && !links.includes(name)) host.files.remove(`${paths.versions}/${name}`)
  const tags = kept.flatMap(version => {
    const file = { ...stateFiles.release, path: releaseOf(version), whenDamaged: { consequence: 'ignored' } }
    return readState(host, file)?.llamaCpp.tag ?? []
  })
  const inUse = host.files.target(paths.llamaCurrent)
  for (const name of host.files.list(paths.releases))
    if (![...tags, inUse, 'current'].includes(name)) host.files.remove(`${paths.releases}/${name}`)
}
