/** Snapshots of a running VM, memory and disk: saved once, restored within seconds. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Accelerator } from '../../packer/build/accelerator.ts'
import { qmp } from './qmp.ts'
import { closeConnection } from './ssh.ts'
import { contextDrive, isRunning, oneGateLog, prepareVm, runQemu, type Vm, writeVm } from './vm.ts'

const file = (vm: Vm, name: string) => join(vm.folder, name)
const control = (vm: Vm, command: string, args?: Record<string, unknown>) =>
  qmp(file(vm, 'qmp'), command, args)

/** The context disk as it was when the snapshot was saved: the guest goes on reading where it was. */
const diskOf = (vm: Vm, name: string) => file(vm, `${name}.iso`)

/** What OneGate had heard by then. */
const oneGateLogOf = (vm: Vm, name: string) => file(vm, `${name}.onegate.jsonl`)

/** Answers the VM that knows it. Rejects with QEMU's words. */
export async function saveSnapshot(vm: Vm, name: string): Promise<Vm> {
  // A connection that the snapshot held would be a dead one after it is restored.
  closeConnection(vm)
  await monitor(vm, `savevm ${name}`)
  copyFileSync(file(vm, 'context.iso'), diskOf(vm, name))
  copyFileSync(oneGateLog(vm), oneGateLogOf(vm, name))
  const saved = { ...vm, snapshots: { ...vm.snapshots, [name]: vm.context } }
  writeVm(saved)
  return saved
}

export const hasSnapshot = (vm: Vm, name: string): boolean => isRunning(vm) && name in vm.snapshots

/** Answers the VM as it is from then on. Snapshots saved later stay, and can be restored in turn. */
export async function restoreSnapshot(vm: Vm, name: string): Promise<Vm> {
  const context = vm.snapshots[name]
  if (context === undefined) throw new Error(`the VM ${vm.name} has no snapshot ${name}`)
  closeConnection(vm)
  await control(vm, 'stop')
  // The guest never hears of it: whether a disk was changed is part of the state that is loaded next.
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
 * Starts another VM that goes on from a snapshot of one that is off. Its guest tells OneGate of the one until its context
 * changes.
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

/** QEMU's human monitor says what went wrong, and nothing when all is well. */
async function monitor(vm: Vm, line: string): Promise<void> {
  const said = await control(vm, 'human-monitor-command', { 'command-line': line })
  if (said !== '') throw new Error(`QEMU: ${line}: ${said}`)
}
