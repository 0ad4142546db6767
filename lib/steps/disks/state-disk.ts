/** Moves the VM's state to a disk: formats an empty one, copies the VM's own state, bind-mounts the folders. */
import type { AttachedDisk } from '../../appliance/disks/disks.ts'
import { diskLabels } from '../../appliance/disks/disks.ts'
import { foreignFiles, partial, stampOf, stampProblem, stateFolders } from '../../appliance/disks/state.ts'
import { paths } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { Host } from '../../system/host.ts'
import { readState, writeState } from '../../system/state-files.ts'
import { mountedAt } from './facts.ts'

const folder = paths.stateDisk

/**
 * Formats an empty disk. Interrupted, it leaves a disk that is still empty: mke2fs writes the superblock last. With
 * multiple mount protection (ext4(5)), a second machine cannot mount what the first has mounted.
 */
export const formatDisk = (host: Host, device: string): Promise<unknown> =>
  host.$`mkfs.ext4 -q -m 0 -O mmp -L ${diskLabels.state} ${device}`

/** Uses the disk. Returns why it cannot be used; it is not mounted then. */
export async function useDisk(host: Host, disk: AttachedDisk, version: string): Promise<string | undefined> {
  const isMounted = (await mountedAt(host, folder)) !== undefined
  const unmounted = isMounted ? undefined : await mount(host, disk)
  if (unmounted !== undefined) return unmounted
  const problem = await fill(host, disk, version)
  if (problem !== undefined) {
    await host.$`umount ${folder}`
    return problem
  }
  await bind(host)
  writeState(host, stateFiles.usedDisk, { uuid: disk.uuid })
  return undefined
}

async function mount(host: Host, { device }: AttachedDisk): Promise<string | undefined> {
  host.files.makeFolder(folder, 0o700)
  // Exit code 0 or 1: the file system is sound, or has been repaired (e2fsck(8)).
  const check = await host.$`e2fsck -p ${device}`.nothrow()
  if (check.exitCode > 128) return `${device} could not be checked: e2fsck was ended by a signal.`
  if (check.exitCode > 1) return unsound(device, check.stdout + check.stderr)
  const { exitCode, stderr } =
    await host.$`mount -t ext4 -o nosuid,nodev,noexec ${device} ${folder}`.nothrow()
  return exitCode === 0 ? undefined : `${device} cannot be mounted: ${lastLine(stderr)}`
}

/** Why e2fsck failed. If another machine has the disk mounted, its output says so amid advice for damaged ones. */
function unsound(device: string, said: string): string {
  if (/MMP: .*active/.test(said))
    return `${device} is mounted by another machine: two VMs cannot share their state. Detach it from one of them.`
  return `${device} is damaged: ${said.trim().split('\n')[0]} To see more: e2fsck -n ${device}`
}

const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? ''

/** Copies the VM's state to a disk that has none. The stamp, written last, completes it; until then, it starts over. */
async function fill(
  host: Host,
  { device, uuid }: AttachedDisk,
  version: string,
): Promise<string | undefined> {
  const stamp = readState(host, stateFiles.stamp)
  const isOwn = readState(host, stateFiles.usedDisk)?.uuid === uuid
  if (stamp !== undefined) {
    const problem = stampProblem(stamp, version, isOwn)
    // Of an upgrade that was interrupted in another VM, whose versions this one does not have.
    if (problem === undefined && !isOwn)
      host.files.remove(paths.upgradeJournal.replace(paths.state, `${folder}/state`))
    if (problem === undefined && stamp.version !== version)
      writeState(host, stateFiles.stamp, stampOf(version))
    return problem
  }
  const foreign = foreignFiles(host.files.list(folder))
  if (foreign.length > 0)
    return `${device} is labelled ${diskLabels.state}, but holds files that are not an appliance's state: ${foreign.slice(0, 3).join(', ')}. Attach an empty disk.`
  for (const each of stateFolders) await copyFolder(host, each)
  await host.$`sync --file-system ${folder}`
  writeState(host, stateFiles.stamp, stampOf(version))
  host.log.info(`${device}: what was in this VM has been copied to it, and is used there from now on`)
  return undefined
}

async function copyFolder(host: Host, { name, path, mode }: (typeof stateFolders)[number]): Promise<void> {
  const [copy, part] = [`${folder}/${name}`, `${folder}/${partial(name)}`]
  host.files.remove(copy)
  host.files.remove(part)
  host.files.makeFolder(part, mode)
  if (host.files.status(path)?.isFolder) await host.$`cp --archive ${`${path}/.`} ${part}`
  host.files.rename(part, copy)
}

/** Mounts the disk's folders over the VM's own. */
async function bind(host: Host): Promise<void> {
  for (const { name, path, mode } of stateFolders) {
    if ((await mountedAt(host, path)) !== undefined) continue
    const source = `${folder}/${name}`
    if (host.files.status(source) === undefined) host.files.makeFolder(source, mode)
    if (host.files.status(path) === undefined) host.files.makeFolder(path, mode)
    await host.$`mount --bind ${source} ${path}`
  }
}
