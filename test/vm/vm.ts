/** A virtual machine from a baked image: start, find by name, change context, power off, stop. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { filesUnder } from '../../lib/system/files.ts'
import { commandLineOf } from '../../lib/system/processes.ts'
import { type Accelerator, cpuModel, cpus } from '../../packer/build/accelerator.ts'
import { cacheFolder } from '../../packer/build/cache.ts'
import { type Context, userNetwork, writeContextDisk } from '../../packer/build/context-disk.ts'
import { freePort } from '../support/ports.ts'
import { spawnOneGate } from './onegate.ts'
import { qmp } from './qmp.ts'
import { publicKey } from './ssh.ts'

type Ports = { ssh: number; https: number; http: number; oneGate: number }

/** What `vm.json` in its folder says. `context`: the variables of the user, without those of `fullContext`. */
export type Vm = {
  name: string
  folder: string
  image: string
  ports: Ports
  context: Context
  oneGatePid: number
  /** Its snapshots (snapshots.ts), and the context that each was saved with. */
  snapshots: Record<string, Context>
}

export type VmInputs = {
  name: string
  image: string
  accelerator: Accelerator
  context: Context
  /** Taken if nobody listens there, else free ones. */
  preferredPorts?: Partial<Ports>
}

/** What QEMU calls the drive that `-cdrom` makes. */
export const contextDrive = 'ide1-cd0'
/** The host, as a guest on QEMU's user network sees it. */
export const hostSeenByGuest = '10.0.2.2'
const oneGateToken = 'token-of-the-stand-in'

const vmsFolder = join(cacheFolder, 'vms')
const vmFolder = (name: string) => join(vmsFolder, name)
const inFolder = (vm: Vm, name: string) => join(vm.folder, name)
export const serialLog = (vm: Vm): string => inFolder(vm, 'serial.log')
export const oneGateLog = (vm: Vm): string => inFolder(vm, 'onegate.jsonl')

/** Starts a VM on a disk of its own above the image; one of this name that is there goes first. */
export async function startVm(inputs: VmInputs): Promise<Vm> {
  const vm = await prepareVm(inputs)
  insertContext(vm)
  const backing = ['-b', inputs.image, '-F', 'qcow2']
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, inFolder(vm, 'disk.qcow2')])
  runQemu(vm, inputs.accelerator)
  return vm
}

/** A VM's folder, ports and OneGate: all but its disks. */
export async function prepareVm({ name, image, context, preferredPorts }: VmInputs): Promise<Vm> {
  await stopVm(name)
  const folder = vmFolder(name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const ports = await choosePorts(preferredPorts ?? {})
  const oneGatePid = await spawnOneGate(ports.oneGate, join(folder, 'onegate.jsonl'))
  const vm: Vm = { name, folder, image, ports, context, oneGatePid, snapshots: {} }
  writeVm(vm)
  return vm
}

/** Starts QEMU, with further options. */
export function runQemu(vm: Vm, accelerator: Accelerator, options: string[] = []): void {
  execFileSync('qemu-system-x86_64', [...qemuArguments(vm, accelerator), ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

/** The VM of this name, running or not. */
export function findVm(name: string): Vm | undefined {
  const path = join(vmFolder(name), 'vm.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Vm) : undefined
}

/** Of the VMs that are there, running or not. */
export const vmNames = (): string[] =>
  existsSync(vmsFolder) ? readdirSync(vmsFolder).filter(name => findVm(name) !== undefined) : []

/** Whether its QEMU lives: the process id may long be another's, so its command line must name this VM's disk. */
export function isRunning(vm: Vm): boolean {
  const pid = qemuPid(vm)
  return pid !== undefined && commandLine(pid).includes(inFolder(vm, 'disk.qcow2'))
}

/** Stops the VM as a power cut would, and removes what it was. */
export async function stopVm(name: string): Promise<void> {
  const vm = findVm(name)
  if (vm) {
    // A QEMU that does not answer at its socket is ended by its process id.
    const pid = qemuPid(vm)
    if (isRunning(vm) && pid) process.kill(pid, 'SIGTERM')
    while (isRunning(vm)) await setTimeout(100)
    if (commandLine(vm.oneGatePid).includes(oneGateLog(vm))) process.kill(vm.oneGatePid)
  }
  rmSync(vmFolder(name), { recursive: true, force: true })
}

/** Another context disk in the drive, as OpenNebula does while a VM runs. The guest notices within seconds. */
export async function changeContext(vm: Vm, context: Context): Promise<void> {
  vm.context = context
  writeVm(vm)
  insertContext(vm)
  await qmp(inFolder(vm, 'qmp'), 'blockdev-change-medium', {
    device: contextDrive,
    filename: inFolder(vm, 'context.iso'),
    format: 'raw',
    // A guest that mounted the disk locked its tray, and only some unlock it when they are done.
    force: true,
  })
}

/** Ends QEMU, which writes down what it has not yet of the disk. The rest of the VM stays. */
export async function shutOff(vm: Vm): Promise<void> {
  await qmp(inFolder(vm, 'qmp'), 'quit')
  while (isRunning(vm)) await setTimeout(100)
}

/** The guest loses its memory and what it had not yet written, and boots again at once. */
export const powerCut = async (vm: Vm): Promise<void> => {
  await qmp(inFolder(vm, 'qmp'), 'system_reset')
}

/** The user's variables with those that OpenNebula and this VM's surroundings add. */
const fullContext = (vm: Vm): Context => ({
  ...userNetwork,
  VMID: '1',
  SET_HOSTNAME: 'slm-copilot',
  SSH_PUBLIC_KEY: publicKey(),
  TOKEN: 'YES',
  REPORT_READY: 'YES',
  ONEGATE_ENDPOINT: `http://${hostSeenByGuest}:${vm.ports.oneGate}`,
  ...vm.context,
})

const insertContext = (vm: Vm) =>
  writeContextDisk(inFolder(vm, 'context.iso'), fullContext(vm), { 'token.txt': oneGateToken })

export const writeVm = (vm: Vm): void =>
  writeFileSync(inFolder(vm, 'vm.json'), `${JSON.stringify(vm, null, 2)}\n`, { mode: 0o600 })

const choosePorts = async (preferred: Partial<Ports>): Promise<Ports> => ({
  ssh: await freePort(preferred.ssh),
  https: await freePort(preferred.https),
  http: await freePort(preferred.http),
  oneGate: await freePort(preferred.oneGate),
})

function qemuArguments(vm: Vm, accelerator: Accelerator): string[] {
  const { ssh, https, http } = vm.ports
  const forwards = [`${ssh}-:22`, `${https}-:443`, `${http}-:80`].map(
    ports => `hostfwd=tcp:127.0.0.1:${ports}`,
  )
  return [
    ['-name', `slm-copilot-${vm.name}`],
    ['-accel', accelerator === 'tcg' ? 'tcg,thread=multi' : 'kvm'],
    ['-cpu', cpuModel[accelerator]],
    ['-smp', String(cpus[accelerator])],
    ['-m', '2048'],
    ['-drive', `file=${inFolder(vm, 'disk.qcow2')},if=virtio,cache=unsafe,discard=unmap`],
    ['-cdrom', inFolder(vm, 'context.iso')],
    ['-netdev', ['user', 'id=net', ...forwards].join(',')],
    ['-device', `virtio-net,netdev=net,mac=${userNetwork.ETH0_MAC}`],
    ['-serial', `file:${serialLog(vm)}`],
    ['-qmp', `unix:${inFolder(vm, 'qmp')},server=on,wait=off`],
    ['-pidfile', inFolder(vm, 'qemu.pid')],
    ['-display', 'none'],
    ['-daemonize'],
  ].flat()
}

function qemuPid(vm: Vm): number | undefined {
  const path = inFolder(vm, 'qemu.pid')
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined
}

const commandLine = (pid: number) => commandLineOf({ files: filesUnder('/') }, pid) ?? ''
