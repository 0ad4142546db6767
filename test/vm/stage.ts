/** `make stage STAGE=…`: copies the executable and shim into the VM, and has the framework run the stage. */
import { buildExecutable, shim } from '../../packer/build/executable.ts'
import { step } from '../../packer/build/progress.ts'
import { myVm } from './mine.ts'
import { push, ssh } from './ssh.ts'
import type { Vm } from './vm.ts'

/** Pushes what was built to where the image has it. */
export async function pushBuild(vm: Vm, executable: string): Promise<void> {
  await push(vm, executable, '/opt/one-appliance/bin/slm-copilot')
  await push(vm, shim, '/etc/one-appliance/service.d/appliance.sh')
}

/** Runs a stage with the context's variables exported, as the context agent would. */
export const runStage = (vm: Vm, stage: string) =>
  ssh(vm, `set -a; . /run/one-context/context.sh.network; set +a; /etc/one-appliance/service ${stage}`)

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
