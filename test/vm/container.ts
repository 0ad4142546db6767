/** Containers from a baked image: its systemd and services run natively, ten to twenty times faster than in a VM. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { cached } from '../../packer/build/cache.ts'
import { bootContainer, forwardPort, type Segment } from '../../packer/build/container.ts'
import { step } from '../../packer/build/progress.ts'
import {
  consoleLog,
  groupOf,
  inFolder,
  isRunning,
  killMachine,
  type Machine,
  type MachineInputs,
  pidFile,
  pidOf,
  prepareMachine,
  writeDisk,
} from './machine.ts'
import { sshOutput } from './ssh.ts'

/**
 * Starts a container on an overlay of the image; an existing one of this name is removed first. `segment`: its place in a
 * network with others.
 */
export async function startContainer(
  inputs: Omit<MachineInputs, 'kind'>,
  segment?: Segment,
): Promise<Machine> {
  const container = await prepareMachine({ kind: 'container', ...inputs })
  writeDisk(container, contextDisk(container), 'ext4')
  await boot(container, segment)
  return container
}

async function boot(container: Machine, segment?: Segment): Promise<void> {
  const { folder, image, ports } = container
  const disk = await rawDisk(image)
  const places = { folder, disk, group: groupOf(container), console: consoleLog(container) }
  const child = await bootContainer({ purpose: 'run', ...places, segment })
  child.unref()
  writeFileSync(pidFile(container), `${child.pid}\n`)
  await forwardPort(folder, ports.ssh, 22)
  await forwardPort(folder, ports.https, 443)
  await forwardPort(folder, ports.http, 80)
}

/**
 * Kills all processes of the container at once, and boots it again from what it has written. What a power cut would
 * take from a VM besides, writes that are not on its disk yet, stay in this machine's memory.
 */
export async function killAndBoot(container: Machine): Promise<void> {
  await killMachine(container)
  for (const name of ['root', 'base', 'work', 'context', 'net', 'network', 'ready', 'started'])
    rmSync(inFolder(container, name), { recursive: true, force: true })
  await boot(container)
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

/**
 * Attaches a disk, whose content is a file of this machine; returns its device. The loop device ends with the container,
 * or once it is detached and not mounted. What udev would start is up to the test.
 */
export async function attachDisk(container: Machine, file: string): Promise<string> {
  const script =
    'device=$(losetup --find --show "$0"); exec 3<> "$device"; losetup --detach "$device"; echo "$device"; exec sleep infinity'
  const holder = spawn('nsenter', [...namespacesOf(container), '--', 'bash', '-c', script, file], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  holder.unref()
  const [line] = (await once(holder.stdout, 'data')) as [Buffer]
  holder.stdout.destroy()
  const device = line.toString().trim()
  await sshOutput(container, `mknod ${device} b ${numbersOf(device)}`)
  holders.set(device, holder.pid as number)
  return device
}

/** Device → the process that keeps it attached. */
const holders = new Map<string, number>()

/** Takes the disk away, as OpenNebula detaches one. */
export async function detachDisk(container: Machine, device: string): Promise<void> {
  await sshOutput(container, `rm ${device}`)
  process.kill(-(holders.get(device) as number), 'SIGKILL')
}

/** Those of its first process, for nsenter(1). */
const namespacesOf = (container: Machine): string[] => {
  const folder = `/proc/${pidOf(container)}/ns`
  return [`--mount=${folder}/mnt`, `--pid=${folder}/pid_for_children`]
}

/** A device's major and minor number. */
const numbersOf = (device: string) =>
  execFileSync('stat', ['--format=%Hr %Lr', device], { encoding: 'utf8' }).trim()
