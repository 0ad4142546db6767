/** A bake without KVM: boots the base disk in a container, since QEMU would emulate each instruction. */
import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import {
  bootContainer,
  controlGroup,
  controlGroups,
  forwardPort,
  hasEnded,
  lastLines,
  removeGroup,
} from './container.ts'
import { freePort } from './ports.ts'

type ContainerBake = {
  /** An existing folder for everything that is written. */
  work: string
  baseDisk: string
  /** Of the image, as QEMU takes it. */
  diskSize: string
  contextDisk: string
  /** The private key that the context disk authorises. */
  key: string
  console: string
}

/** Boots a copy of the base disk, has it provisioned over SSH, and shuts it down. Returns the disk, a qcow2. */
export async function inContainer(
  bake: ContainerBake,
  provision: (port: number) => Promise<void>,
): Promise<string> {
  const disk = join(bake.work, 'disk.raw')
  execFileSync('qemu-img', ['convert', '-O', 'raw', bake.baseDisk, disk])
  execFileSync('qemu-img', ['resize', '-q', '-f', 'raw', disk, bake.diskSize])
  const folder = join(bake.work, 'container')
  mkdirSync(folder)
  renameSync(bake.contextDisk, join(folder, 'context.disk'))

  mkdirSync(dirname(bake.console), { recursive: true })
  rmSync(bake.console, { force: true })
  const group = controlGroup(`bake-${process.pid}`)
  await removeAbandonedGroups()
  try {
    const places = { folder, disk, group, console: bake.console }
    const container = await bootContainer({ purpose: 'bake', ...places })
    await provisioned(bake, container, folder, provision)
  } finally {
    await removeGroup(group)
  }
  const image = join(bake.work, 'image.qcow2')
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', disk, image])
  return image
}

/** Has the running container provisioned, and shuts it down. */
async function provisioned(
  bake: ContainerBake,
  container: ChildProcess,
  folder: string,
  provision: (port: number) => Promise<void>,
): Promise<void> {
  try {
    const port = await freePort()
    await forwardPort(folder, port, 22)
    await untilLoggedIn(bake, port, container)
    await provision(port)
    container.stdin?.write('shut down\n')
  } finally {
    container.stdin?.end()
    if (!hasEnded(container)) await once(container, 'exit')
  }
  if (container.exitCode !== 0)
    throw new Error(`The bake's container ended with ${container.exitCode}: ${lastLines(bake.console)}`)
}

/** A bake that was killed leaves its group, without processes. */
async function removeAbandonedGroups(): Promise<void> {
  for (const group of controlGroups()) {
    const pid = /-bake-(\d+)$/.exec(group)?.[1]
    if (pid && !existsSync(`/proc/${pid}`)) await removeGroup(group)
  }
}

/** Seconds until the context agent lets the key in: it takes one or two. */
const loginTimeout = 120

/** Waits in short steps: Packer tries only every five seconds. */
async function untilLoggedIn(
  { key, console }: ContainerBake,
  port: number,
  container: ChildProcess,
): Promise<void> {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'ConnectTimeout=5',
  ]
  const args = [
    ...options.map(option => `-o${option}`),
    '-i',
    key,
    '-p',
    String(port),
    'root@127.0.0.1',
    'true',
  ]
  const deadline = Date.now() + loginTimeout * 1000
  while (spawnSync('ssh', args, { stdio: 'ignore' }).status !== 0) {
    if (hasEnded(container)) throw new Error(`The bake's container ended early: ${lastLines(console)}`)
    if (Date.now() > deadline)
      throw new Error(
        `Nobody can log in to the bake's container after ${loginTimeout} s: ${lastLines(console)}`,
      )
    await setTimeout(200)
  }
}
