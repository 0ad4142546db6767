/** Virtual machines from a baked image: start, find by name, change context, shut off, stop. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { filesUnder } from '../../lib/system/files.ts'
import { commandLineOf } from '../../lib/system/processes.ts'
import { type Accelerator, cpuModel, cpus } from '../../packer/build/accelerator.ts'
import { cacheFolder } from '../../packer/build/cache.ts'
import {
  type ContextVariables,
  contextScript,
  userNetwork,
  writeContextDisk,
} from '../../packer/build/context-disk.ts'
import { freePort } from '../../packer/build/ports.ts'
import { spawnOneGate } from './onegate.ts'
import { qmp } from './qmp.ts'
import { publicKey } from './ssh.ts'

type Ports = { ssh: number; https: number; http: number; oneGate: number }

/** The content of `vm.json` in its folder. `context`: the user's variables, without those that `fullContext` adds. */
export type Vm = {
  name: string
  folder: string
  image: string
  ports: Ports
  context: ContextVariables
  oneGatePid: number
  /** Its snapshots (snapshots.ts), with the context at the time of each. */
  snapshots: Record<string, ContextVariables>
}

export type VmInputs = {
  name: string
  image: string
  accelerator: Accelerator
  context: ContextVariables
  /** Used if they are free. */
  preferredPorts?: Partial<Ports>
}

/** QEMU's name for the drive of `-cdrom`. */
export const contextDrive = 'ide1-cd0'
/** The host's address for a guest on QEMU's user network. */
export const hostSeenByGuest = '10.0.2.2'
const oneGateToken = 'token-of-the-stand-in'

const vmsFolder = join(cacheFolder, 'vms')
const vmFolder = (name: string) => join(vmsFolder, name)
const inFolder = (vm: Vm, name: string) => join(vm.folder, name)
export const serialLog = (vm: Vm): string => inFolder(vm, 'serial.log')
export const oneGateLog = (vm: Vm): string => inFolder(vm, 'onegate.jsonl')

/** Starts a VM on an overlay of the image; an existing VM of this name is removed first. */
export async function startVm(inputs: VmInputs): Promise<Vm> {
  const vm = await prepareVm(inputs)
  insertContext(vm)
  const backing = ['-b', inputs.image, '-F', 'qcow2']
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, inFolder(vm, 'disk.qcow2')])
  runQemu(vm, inputs.accelerator)
  return vm
}

/** Creates a VM's folder, ports and OneGate: everything except its disks. */
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

/** Starts QEMU, with additional options. */
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

/** The names of all VMs, running or not. */
export const vmNames = (): string[] =>
  existsSync(vmsFolder) ? readdirSync(vmsFolder).filter(name => findVm(name) !== undefined) : []

/** Whether its QEMU is running: the process ID may have been reused, so its command line must name this VM's disk. */
export function isRunning(vm: Vm): boolean {
  const pid = qemuPid(vm)
  return pid !== undefined && commandLine(pid).includes(inFolder(vm, 'disk.qcow2'))
}

/** Stops the VM like a power cut, and removes it. */
export async function stopVm(name: string): Promise<void> {
  const vm = findVm(name)
  if (vm) {
    // By process ID: QEMU may not answer at its socket.
    const pid = qemuPid(vm)
    if (isRunning(vm) && pid) process.kill(pid, 'SIGTERM')
    while (isRunning(vm)) await setTimeout(100)
    if (commandLine(vm.oneGatePid).includes(oneGateLog(vm))) process.kill(vm.oneGatePid)
  }
  rmSync(vmFolder(name), { recursive: true, force: true })
}

/** Inserts another context disk, as OpenNebula does while a VM is running. The guest notices within seconds. */
export async function changeContext(vm: Vm, context: ContextVariables): Promise<void> {
  vm.context = context
  writeVm(vm)
  insertContext(vm)
  await qmp(inFolder(vm, 'qmp'), 'blockdev-change-medium', {
    device: contextDrive,
    filename: inFolder(vm, 'context.iso'),
    format: 'raw',
    // Mounting the disk locks the tray, and not all guests unlock it afterwards.
    force: true,
  })
}

/** Quits QEMU, which flushes the disk. The rest of the VM remains. */
export async function shutOff(vm: Vm): Promise<void> {
  await qmp(inFolder(vm, 'qmp'), 'quit')
  while (isRunning(vm)) await setTimeout(100)
}

/** Resets the guest, which loses its memory and whatever it had not written to disk, and boots again at once. */
export const powerCut = async (vm: Vm): Promise<void> => {
  await qmp(inFolder(vm, 'qmp'), 'system_reset')
}

/** The user's variables, and those that OpenNebula and this environment add. */
const fullContext = (vm: Vm): ContextVariables => ({
  ...userNetwork,
  VMID: '1',
  SET_HOSTNAME: 'slm-copilot',
  SSH_PUBLIC_KEY: publicKey(),
  TOKEN: 'YES',
  REPORT_READY: 'YES',
  ONEGATE_ENDPOINT: `http://${hostSeenByGuest}:${vm.ports.oneGate}`,
  ...vm.context,
})

/** The text of the VM's `context.sh`. */
export const contextOf = (vm: Vm): string => contextScript(fullContext(vm))

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
