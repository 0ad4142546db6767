/** Containers from a baked image: its systemd and services run natively, ten to twenty times faster than in a VM. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { cached } from '../../packer/build/cache.ts'
import { bootContainer, forwardPort } from '../../packer/build/container.ts'
import { step } from '../../packer/build/progress.ts'
import {
  consoleLog,
  groupOf,
  inFolder,
  isRunning,
  type Machine,
  type MachineInputs,
  pidFile,
  pidOf,
  prepareMachine,
  writeDisk,
} from './machine.ts'
import { sshOutput } from './ssh.ts'

/** Starts a container on an overlay of the image; an existing one of this name is removed first. */
export async function startContainer(inputs: Omit<MachineInputs, 'kind'>): Promise<Machine> {
  const container = await prepareMachine({ kind: 'container', ...inputs })
  writeDisk(container, contextDisk(container), 'ext4')
  const disk = await rawDisk(inputs.image)
  const { folder, ports } = container
  const places = { folder, disk, group: groupOf(container), console: consoleLog(container) }
  const child = await bootContainer({ purpose: 'run', ...places })
  child.unref()
  writeFileSync(pidFile(container), `${child.pid}\n`)
  await forwardPort(folder, ports.ssh, 22)
  await forwardPort(folder, ports.https, 443)
  await forwardPort(folder, ports.http, 80)
  return container
}

/** A container can mount this; all of them share it. */
const rawDisk = (image: string): Promise<string> =>
  cached(
    'container.raw',
    [basename(image)],
    path =>
      step('Unpack the image', async () => {
        execFileSync('qemu-img', ['convert', '-O', 'raw', image, path])
      }),
    { isLarge: true },
  )

const contextDisk = (container: Machine) => inFolder(container, 'context.disk')

/** Replaces the context disk by another device, and starts what udev, which a container has none of, would start. */
export async function replaceDisk(container: Machine): Promise<void> {
  if (!isRunning(container)) throw new Error(`the container ${container.name} is not running`)
  writeDisk(container, contextDisk(container), 'ext4')
  const mountpoint = inFolder(container, 'context')
  const inNamespace = (...command: string[]) =>
    execFileSync('nsenter', [...namespacesOf(container), '--', ...command], { encoding: 'utf8' })
  const device = () => inNamespace('findmnt', '--noheadings', '--output', 'SOURCE', mountpoint).trim()
  const before = device()
  // The mount keeps the loop device until the container ends.
  inNamespace('umount', mountpoint)
  inNamespace('mount', '-o', 'loop,ro', contextDisk(container), mountpoint)
  const after = device()
  await sshOutput(
    container,
    // The first one was bound there by systemd-nspawn.
    `umount --quiet ${before}; rm ${before} && mknod ${after} b ${numbersOf(after)} && systemctl --no-block start one-context-reconfigure.service`,
  )
}

/** Those of its first process, for nsenter(1). */
const namespacesOf = (container: Machine): string[] => {
  const folder = `/proc/${pidOf(container)}/ns`
  return [`--mount=${folder}/mnt`, `--pid=${folder}/pid_for_children`]
}

/** A device's major and minor number. */
const numbersOf = (device: string) =>
  execFileSync('stat', ['--format=%Hr %Lr', device], { encoding: 'utf8' }).trim()
