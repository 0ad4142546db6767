/** What a VM and a container have in common: a folder, forwarded ports, a context, a OneGate of its own, a process. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { filesUnder } from '../../lib/system/files.ts'
import { commandLineOf } from '../../lib/system/processes.ts'
import { cacheFolder } from '../../packer/build/cache.ts'
import { controlGroup, removeGroup } from '../../packer/build/container.ts'
import {
  type ContextVariables,
  contextScript,
  type DiskFormat,
  userNetwork,
  writeContextDisk,
} from '../../packer/build/context-disk.ts'
import { freePort } from '../../packer/build/ports.ts'
import { spawnOneGate } from './onegate.ts'
import { publicKey } from './ssh.ts'

type Ports = { ssh: number; https: number; http: number; oneGate: number }

/** The content of `vm.json` in its folder. `context`: the user's variables, without those that `fullContext` adds. */
export type Machine = {
  kind: 'vm' | 'container'
  name: string
  folder: string
  image: string
  ports: Ports
  context: ContextVariables
  oneGatePid: number
}

export type MachineInputs = {
  kind: Machine['kind']
  name: string
  image: string
  context: ContextVariables
  /** Used if they are free. */
  preferredPorts?: Partial<Ports>
}

/** The host's address for a guest: on QEMU's user network, and on slirp4netns's. */
export const hostSeenByGuest = '10.0.2.2'

const oneGateToken = 'token-of-the-stand-in'

const machinesFolder = join(cacheFolder, 'vms')
const folderOf = (name: string) => join(machinesFolder, name)
export const inFolder = (machine: Machine, name: string) => join(machine.folder, name)
export const consoleLog = (machine: Machine): string => inFolder(machine, 'console.log')
export const oneGateLog = (machine: Machine): string => inFolder(machine, 'onegate.jsonl')
/** Contains the ID of the process with which the machine ends. */
export const pidFile = (machine: Machine): string => inFolder(machine, 'pid')

/** Creates the folder, ports and OneGate of a machine; an existing one of this name is removed first. */
export async function prepareMachine({ preferredPorts, ...inputs }: MachineInputs): Promise<Machine> {
  await stopMachine(inputs.name)
  const folder = folderOf(inputs.name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const ports = await choosePorts(preferredPorts ?? {})
  const oneGatePid = await spawnOneGate(ports.oneGate, join(folder, 'onegate.jsonl'))
  const machine = { ...inputs, folder, ports, oneGatePid }
  writeMachine(machine)
  return machine
}

/** The machine of this name, running or not. */
export function findMachine(name: string): Machine | undefined {
  const path = join(folderOf(name), 'vm.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Machine) : undefined
}

/** The names of all machines, running or not. */
export const machineNames = (): string[] =>
  existsSync(machinesFolder)
    ? readdirSync(machinesFolder).filter(name => findMachine(name) !== undefined)
    : []

export function pidOf(machine: Machine): number | undefined {
  const path = pidFile(machine)
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined
}

/** Whether its process is running: the ID may have been reused, so the command line must name this machine's folder. */
export function isRunning(machine: Machine): boolean {
  const pid = pidOf(machine)
  const words = pid === undefined ? [] : commandLine(pid).split('\0')
  return words.some(word => word === machine.folder || word.includes(`${machine.folder}/`))
}

/** Ends all its processes at once; its folder stays. */
export async function killMachine(machine: Machine): Promise<void> {
  const pid = pidOf(machine)
  if (isRunning(machine) && pid) process.kill(pid, 'SIGKILL')
  while (isRunning(machine)) await setTimeout(50)
  await removeGroup(groupOf(machine))
}

/** Stops the machine like a power cut, and removes everything it left. */
export async function stopMachine(name: string): Promise<void> {
  const machine = findMachine(name)
  if (machine) {
    await killMachine(machine)
    if (commandLine(machine.oneGatePid).includes(oneGateLog(machine))) process.kill(machine.oneGatePid)
  }
  rmSync(folderOf(name), { recursive: true, force: true })
}

/** The control group of a container's processes, whose name is unique on this host while the container runs. */
export const groupOf = ({ ports }: Machine): string => controlGroup(String(ports.ssh))

/** The user's variables, and those that OpenNebula and this environment add. */
const fullContext = (machine: Machine): ContextVariables => ({
  ...userNetwork,
  VMID: '1',
  SET_HOSTNAME: 'slm-copilot',
  SSH_PUBLIC_KEY: publicKey(),
  TOKEN: 'YES',
  REPORT_READY: 'YES',
  ONEGATE_ENDPOINT: `http://${hostSeenByGuest}:${machine.ports.oneGate}`,
  ...machine.context,
})

/** The text of the machine's `context.sh`. */
export const contextOf = (machine: Machine): string => contextScript(fullContext(machine))

/** Writes the machine's CONTEXT disk. */
export const writeDisk = (machine: Machine, path: string, format: DiskFormat): void =>
  writeContextDisk(path, { context: fullContext(machine), files: { 'token.txt': oneGateToken }, format })

export const writeMachine = (machine: Machine): void =>
  writeFileSync(inFolder(machine, 'vm.json'), `${JSON.stringify(machine, null, 2)}\n`, { mode: 0o600 })

const choosePorts = async (preferred: Partial<Ports>): Promise<Ports> => ({
  ssh: await freePort(preferred.ssh),
  https: await freePort(preferred.https),
  http: await freePort(preferred.http),
  oneGate: await freePort(preferred.oneGate),
})

const commandLine = (pid: number) => commandLineOf({ files: filesUnder('/') }, pid) ?? ''
