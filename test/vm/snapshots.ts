/** Snapshots of a running VM, with memory and disk: saved once, restored within seconds. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Accelerator } from '../../packer/build/accelerator.ts'
import { qmp } from './qmp.ts'
import { closeConnection } from './ssh.ts'
import { contextDrive, isRunning, oneGateLog, prepareVm, runQemu, type Vm, writeVm } from './vm.ts'

const file = (vm: Vm, name: string) => join(vm.folder, name)
const control = (vm: Vm, command: string, args?: Record<string, unknown>) =>
  qmp(file(vm, 'qmp'), command, args)

/** The context disk at the time of the snapshot, which the guest may still be reading. */
const diskOf = (vm: Vm, name: string) => file(vm, `${name}.iso`)

/** OneGate's log at the time of the snapshot. */
const oneGateLogOf = (vm: Vm, name: string) => file(vm, `${name}.onegate.jsonl`)

/** Saves a snapshot; returns the VM with it. Rejects with QEMU's message. */
export async function saveSnapshot(vm: Vm, name: string): Promise<Vm> {
  // An SSH connection in the snapshot would be dead after restoring it.
  closeConnection(vm)
  await monitor(vm, `savevm ${name}`)
  copyFileSync(file(vm, 'context.iso'), diskOf(vm, name))
  copyFileSync(oneGateLog(vm), oneGateLogOf(vm, name))
  const saved = { ...vm, snapshots: { ...vm.snapshots, [name]: vm.context } }
  writeVm(saved)
  return saved
}

export const hasSnapshot = (vm: Vm, name: string): boolean => isRunning(vm) && name in vm.snapshots

/** Restores a snapshot; returns the VM in that state. Snapshots that were saved later remain available. */
export async function restoreSnapshot(vm: Vm, name: string): Promise<Vm> {
  const context = vm.snapshots[name]
  if (context === undefined) throw new Error(`the VM ${vm.name} has no snapshot ${name}`)
  closeConnection(vm)
  await control(vm, 'stop')
  // The guest does not notice the change of disks: its drive's state is replaced by the one in the snapshot.
  const medium = { device: contextDrive, filename: diskOf(vm, name), format: 'raw', force: true }
  await control(vm, 'blockdev-change-medium', medium)
  await monitor(vm, `loadvm ${name}`)
  copyFileSync(oneGateLogOf(vm, name), oneGateLog(vm))
  await control(vm, 'cont')
  const restored = { ...vm, context }
  writeVm(restored)
  return restored
}

/**
 * Starts another VM from a snapshot of one that is shut off. Until its context changes, its guest reports to the OneGate
 * of the original.
 */
export async function startFromSnapshot(
  origin: Vm,
  snapshot: string,
  name: string,
  accelerator: Accelerator,
): Promise<Vm> {
  const context = origin.snapshots[snapshot]
  if (context === undefined) throw new Error(`the VM ${origin.name} has no snapshot ${snapshot}`)
  const prepared = await prepareVm({ name, image: origin.image, accelerator, context })
  const vm = { ...prepared, snapshots: { [snapshot]: context } }
  copyFileSync(file(origin, 'disk.qcow2'), file(vm, 'disk.qcow2'))
  for (const copy of [diskOf(vm, snapshot), file(vm, 'context.iso')])
    copyFileSync(diskOf(origin, snapshot), copy)
  for (const copy of [oneGateLogOf(vm, snapshot), oneGateLog(vm)])
    copyFileSync(oneGateLogOf(origin, snapshot), copy)
  writeVm(vm)
  runQemu(vm, accelerator, ['-loadvm', snapshot])
  return vm
}

/** Runs a command of QEMU's human monitor, which prints errors, and nothing on success. */
async function monitor(vm: Vm, line: string): Promise<void> {
  const said = await control(vm, 'human-monitor-command', { 'command-line': line })
  if (said !== '') throw new Error(`QEMU: ${line}: ${said}`)
}
