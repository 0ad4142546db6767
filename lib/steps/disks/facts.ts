/** Reads which disks are attached, what is on them, and what is mounted. */
import { type AttachedDisk, type NamedDisk, parseBlkid, stateSerial } from '../../appliance/disks/disks.ts'
import type { Host } from '../../system/host.ts'

/** Block devices with a file system, read without blkid's cache. */
export async function readDisks(host: Host): Promise<AttachedDisk[]> {
  // Exit code 2: there are none.
  const { stdout } = await host.query`blkid --cache-file /dev/null --output export`.nothrow()
  return parseBlkid(stdout)
}

/** The source of what is mounted at a folder; undefined if nothing is. */
export async function mountedAt(host: Host, folder: string): Promise<string | undefined> {
  // Exit code 1: nothing is.
  const { stdout } =
    await host.query`findmnt --noheadings --raw --output SOURCE --mountpoint ${folder}`.nothrow()
  // The newest, if several are stacked.
  return stdout.trim().split('\n').at(-1) || undefined
}

/** The disk of this name: a device such as vdb or /dev/vdb, or a serial number. */
export async function readNamedDisk(host: Host, given: string | undefined): Promise<NamedDisk | undefined> {
  const name = given ?? stateSerial
  const device = deviceNamed(host, name.replace(/^\/dev\//, ''))
  // A disk with the default serial number is optional.
  if (device === undefined) return given === undefined ? undefined : { name, device, signatures: [] }
  return { name, device, signatures: await signaturesOn(host, device) }
}

function deviceNamed(host: Host, name: string): string | undefined {
  if (host.files.status(`/dev/${name}`) !== undefined) return `/dev/${name}`
  const found = host.files
    .list('/sys/block')
    .find(each =>
      ['serial', 'device/serial'].some(
        file => host.files.read(`/sys/block/${each}/${file}`)?.trim() === name,
      ),
    )
  return found === undefined ? undefined : `/dev/${found}`
}

/** Throws if the device cannot be read: then it must not count as empty. */
async function signaturesOn(host: Host, device: string): Promise<string[]> {
  const { stdout } = await host.query`wipefs --no-act --noheadings --output TYPE ${device}`
  return [
    ...new Set(
      stdout
        .split('\n')
        .map(line => line.trim())
        .filter(Boolean),
    ),
  ]
}
