/** Containers from a baked image: its systemd and services run natively, ten to twenty times faster than in a VM. */
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { cached } from '../../packer/build/cache.ts'
import { userNetwork } from '../../packer/build/context-disk.ts'
import { step } from '../../packer/build/progress.ts'
import {
  consoleLog,
  controlGroup,
  guestAddress,
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

const needs =
  'Containers need root with CAP_SYS_ADMIN, systemd-nspawn, slirp4netns, /dev/net/tun, loop devices, the overlay file ' +
  'system, and control groups of version 2 (in /sys/fs/cgroup or /sys/fs/cgroup/unified)'

/** Starts a container on an overlay of the image; an existing one of this name is removed first. */
export async function startContainer(inputs: Omit<MachineInputs, 'kind'>): Promise<Machine> {
  const container = await prepareMachine({ kind: 'container', ...inputs })
  writeDisk(container, contextDisk(container), 'ext4')
  await run(container, await rawDisk(inputs.image))
  const { ssh, https, http } = container.ports
  for (const [host, guest] of [
    [ssh, 22],
    [https, 443],
    [http, 80],
  ] as const)
    await forward(container, host, guest)
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
const networkSocket = (container: Machine) => inFolder(container, 'network')

/** Runs container.sh in the background until its network is ready; throws with what it printed if it ends before. */
async function run(container: Machine, disk: string): Promise<void> {
  const script = [join(import.meta.dirname, 'container.sh'), container.folder, disk]
  const output = openSync(consoleLog(container), 'a', 0o600)
  const options = ['--mount', '--pid', '--fork', '--kill-child', '--', 'bash']
  const child = spawn('unshare', [...options, ...script, controlGroup(container), userNetwork.ETH0_MAC], {
    detached: true,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  child.unref()
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  writeFileSync(pidFile(container), `${child.pid}\n`)
  while (!existsSync(inFolder(container, 'started'))) {
    if (child.exitCode !== null)
      throw new Error(
        `the container ${container.name} was not started (${child.exitCode}): ${readFileSync(consoleLog(container), 'utf8').trim()}. ${needs}.`,
      )
    await setTimeout(20)
  }
}

/** Forwards a port of 127.0.0.1 to one of the container, through slirp4netns's socket. */
async function forward(container: Machine, hostPort: number, guestPort: number): Promise<void> {
  const socket = connect(networkSocket(container))
  const ports = {
    host_addr: '127.0.0.1',
    host_port: hostPort,
    guest_addr: guestAddress,
    guest_port: guestPort,
  }
  socket.end(JSON.stringify({ execute: 'add_hostfwd', arguments: { proto: 'tcp', ...ports } }))
  const answer = await text(socket)
  if (!('return' in JSON.parse(answer)))
    throw new Error(`slirp4netns did not forward port ${hostPort}: ${answer}`)
}

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
