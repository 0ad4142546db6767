/** `make stage STAGE=…`: copies the executable and the shim into the VM, and runs the stage with the framework. */
import { buildExecutable, shim } from '../../packer/build/executable.ts'
import { step } from '../../packer/build/progress.ts'
import type { Machine } from './machine.ts'
import { myVm } from './mine.ts'
import { push, ssh } from './ssh.ts'

/** Copies the executable and the shim to their places in the image. */
export async function pushBuild(machine: Machine, executable: string): Promise<void> {
  await push(machine, executable, '/opt/one-appliance/bin/slm-copilot')
  await push(machine, shim, '/etc/one-appliance/service.d/appliance.sh')
}

/** Runs a stage with the context variables exported, like the context agent. */
export const runStage = (machine: Machine, stage: string) =>
  ssh(machine, `set -a; . /run/one-context/context.sh.network; set +a; /etc/one-appliance/service ${stage}`)

if (import.meta.main) {
  const stage = process.argv[2] ?? ''
  if (!['configure', 'bootstrap'].includes(stage)) {
    console.error(
      'Usage: make stage STAGE=configure, or STAGE=bootstrap. (The install stage runs only once, while baking.)',
    )
    process.exit(2)
  }
  const vm = myVm()
  const executable = await step('Executable', buildExecutable)
  await step('Copy it into the VM', () => pushBuild(vm, executable))
  const { stdout, stderr, code } = await step(`service ${stage}`, () => runStage(vm, stage))
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  process.exitCode = code
}
