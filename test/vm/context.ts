/** Changes the context of a running machine. */
import { expect } from 'vitest'
import { contextOption } from '../../lib/appliance/paths.ts'
import type { ContextVariables } from '../../packer/build/context-disk.ts'
import { replaceDisk } from './container.ts'
import { type Machine, writeMachine } from './machine.ts'
import { sshOutput } from './ssh.ts'
import { insertDisk } from './vm.ts'

/** Inserts another context disk, as OpenNebula does, which starts the contextualization at run time. */
export async function changeContext(machine: Machine, context: ContextVariables): Promise<void> {
  machine.context = context
  writeMachine(machine)
  await (machine.kind === 'vm' ? insertDisk(machine) : replaceDisk(machine))
}

/** Expects all files to be as the context requires; if not, the failure shows what would be changed. */
export async function expectNothingToDo(machine: Machine): Promise<void> {
  const dryRun = `slm-copilot configure ${contextOption} --dry-run`
  const lines = (await sshOutput(machine, dryRun)).split('\n')
  expect(lines.filter(line => /^[-+]|would be (created|updated|removed)/.test(line))).toEqual([])
}
