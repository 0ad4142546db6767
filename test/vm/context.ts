/** Changes the context of a running machine. */
import type { ContextVariables } from '../../packer/build/context-disk.ts'
import { replaceDisk } from './container.ts'
import { type Machine, writeMachine } from './machine.ts'
import { insertDisk } from './vm.ts'

/** Inserts another context disk, as OpenNebula does, which starts the contextualization at run time. */
export async function changeContext(machine: Machine, context: ContextVariables): Promise<void> {
  machine.context = context
  writeMachine(machine)
  await (machine.kind === 'vm' ? insertDisk(machine) : replaceDisk(machine))
}
