/**
 * The machines that the test files use, each with a first boot of its own and contextualized without any variables:
 *
 *   let machine: Machine
 *   beforeAll(async () => { machine = await readyContainer() })
 *
 * is all that a file needs. Nothing needs to be restored or stopped afterwards. A container is ready within seconds;
 * `readyVm` is for what a container lacks (test/README.md), and takes minutes if the VM is emulated.
 */
import type { Accelerator } from '../../packer/build/accelerator.ts'
import type { Segment } from '../../packer/build/container.ts'
import type { ContextVariables } from '../../packer/build/context-disk.ts'
import { step } from '../../packer/build/progress.ts'
import { startContainer } from './container.ts'
import { makeImage } from './image.ts'
import { type Machine, machineNames, stopMachine } from './machine.ts'
import { waitForContextualization } from './ready.ts'
import { startVm } from './vm.ts'

const prefix = 'test-'
/** Vitest's workers run beside each other, and each runs one file at a time. */
const worker = process.env.VITEST_POOL_ID ?? '0'

/** A container after a successful first boot. A file that needs several names them, and may put them into one network. */
export const readyContainer = async (
  name = 'container',
  context: ContextVariables = {},
  segment?: Segment,
): Promise<Machine> => booted(await startedContainer(name, context, segment))

/** A container that has begun its first boot. */
export async function startedContainer(
  name: string,
  context: ContextVariables = {},
  segment?: Segment,
): Promise<Machine> {
  const { disk } = await makeImage()
  return startContainer({ name: `${prefix}${name}-${worker}`, image: disk, context }, segment)
}

/** A VM after a successful first boot; `clock`: see `startVm`. */
export async function readyVm(clock?: Date): Promise<Machine> {
  const { disk, accelerator } = await makeImage()
  return bootedVm('vm', disk, accelerator, clock)
}

/** A VM from another image, after a successful first boot. */
export const bootedVm = async (
  name: string,
  image: string,
  accelerator: Accelerator,
  clock?: Date,
): Promise<Machine> =>
  booted(await startVm({ name: `${prefix}${name}-${worker}`, image, accelerator, clock, context: {} }))

async function booted(machine: Machine): Promise<Machine> {
  const { status, lastLine } = await step(`First boot of the ${machine.kind}`, () =>
    waitForContextualization(machine),
  )
  if (status !== 'bootstrap_success') throw new Error(`the first boot ended with ${status}: ${lastLine}`)
  return machine
}

const stopAll = async () => {
  for (const name of machineNames()) if (name.startsWith(prefix)) await stopMachine(name)
}

/** Called by vitest before the first file, to remove what a killed run has left, and after the last one. */
export const setup = stopAll
export const teardown = stopAll
