/** Virtual machines from a baked image: start, change the context disk, cut the power. */
import { execFileSync } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { type Accelerator, cpuModel, cpus } from '../../packer/build/accelerator.ts'
import { userNetwork } from '../../packer/build/context-disk.ts'
import {
  consoleLog,
  inFolder,
  isRunning,
  type Machine,
  type MachineInputs,
  pidFile,
  prepareMachine,
  writeDisk,
} from './machine.ts'
import { qmp } from './qmp.ts'

/** QEMU's name for the drive of `-cdrom`. */
const contextDrive = 'ide1-cd0'
const contextDisk = (vm: Machine) => inFolder(vm, 'context.iso')

/** `clock`: what its hardware clock says at the start. It then has no other source of time, which KVM would be. */
type VmInputs = Omit<MachineInputs, 'kind'> & { accelerator: Accelerator; clock?: Date | undefined }

/** Starts a VM on an overlay of the image; an existing VM of this name is removed first. */
export async function startVm({ accelerator, clock, ...inputs }: VmInputs): Promise<Machine> {
  const vm = await prepareMachine({ kind: 'vm', ...inputs })
  writeDisk(vm, contextDisk(vm), 'iso9660')
  const backing = ['-b', inputs.image, '-F', 'qcow2']
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, inFolder(vm, 'disk.qcow2')])
  execFileSync('qemu-system-x86_64', qemuArguments(vm, accelerator, clock), {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return vm
}

/** Inserts another context disk, as OpenNebula does while a VM is running. The guest notices within seconds. */
export async function insertDisk(vm: Machine): Promise<void> {
  writeDisk(vm, contextDisk(vm), 'iso9660')
  await qmp(inFolder(vm, 'qmp'), 'blockdev-change-medium', {
    device: contextDrive,
    filename: contextDisk(vm),
    format: 'raw',
    // Mounting the disk locks the tray, and not all guests unlock it afterwards.
    force: true,
  })
}

/** Resets the guest, which loses its memory and whatever it had not written to disk, and boots again at once. */
export const powerCut = async (vm: Machine): Promise<void> => {
  await qmp(inFolder(vm, 'qmp'), 'system_reset')
}

/** Presses the power button, as OpenNebula does to shut a VM down, and waits until it is off. */
export async function powerOff(vm: Machine): Promise<void> {
  await qmp(inFolder(vm, 'qmp'), 'system_powerdown')
  while (isRunning(vm)) await setTimeout(200)
}

/** What dumpe2fs(8) says about the root file system of a VM that is off. */
export function fileSystemOf(vm: Machine): string {
  const raw = inFolder(vm, 'disk.raw')
  execFileSync('qemu-img', ['convert', '-O', 'raw', inFolder(vm, 'disk.qcow2'), raw])
  // The partition begins there (packer/base-image.sh).
  return execFileSync('dumpe2fs', ['-h', `${raw}?offset=${2 ** 20}`], { encoding: 'utf8' })
}

function qemuArguments(vm: Machine, accelerator: Accelerator, clock: Date | undefined): string[] {
  const { ssh, https, http } = vm.ports
  const forwards = [`${ssh}-:22`, `${https}-:443`, `${http}-:80`].map(
    ports => `hostfwd=tcp:127.0.0.1:${ports}`,
  )
  return [
    ['-name', `slm-copilot-${vm.name}`],
    ['-accel', accelerator === 'tcg' ? 'tcg,thread=multi' : 'kvm'],
    ['-cpu', clock ? `${cpuModel[accelerator]},kvm=off` : cpuModel[accelerator]],
    clock ? ['-rtc', `base=${clock.toISOString().slice(0, 19)}`] : [],
    ['-smp', String(cpus[accelerator])],
    ['-m', '2048'],
    ['-drive', `file=${inFolder(vm, 'disk.qcow2')},if=virtio,cache=unsafe,discard=unmap`],
    ['-cdrom', contextDisk(vm)],
    ['-netdev', ['user', 'id=net', ...forwards].join(',')],
    ['-device', `virtio-net,netdev=net,mac=${userNetwork.ETH0_MAC}`],
    ['-serial', `file:${consoleLog(vm)}`],
    ['-qmp', `unix:${inFolder(vm, 'qmp')},server=on,wait=off`],
    ['-pidfile', pidFile(vm)],
    ['-display', 'none'],
    ['-daemonize'],
  ].flat()
}
