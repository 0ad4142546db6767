/** `make up`: from sources to a VM that is serving, rebuilding only what has changed. */
import { spawnSync } from 'node:child_process'
import { isDeepStrictEqual } from 'node:util'
import { script, step } from '../../packer/build/progress.ts'
import { type AccessFiles, curlLine, readAccess } from './access.ts'
import { changeContext } from './context.ts'
import { type Image, makeImage } from './image.ts'
import { findMachine, isRunning, type Machine } from './machine.ts'
import { myContext, myPorts, myVmName } from './mine.ts'
import {
  type BootProgress,
  contextualizeNow,
  isReportedReady,
  readProgress,
  waitForContextualization,
} from './ready.ts'
import { ssh } from './ssh.ts'
import { startVm } from './vm.ts'

await script(async () => {
  const start = Date.now()
  const image = await makeImage()
  const vm = (await runningVm(image)) ?? (await bootVm(image))
  await expectReady(vm)
  const access = await readAccess(vm)
  await step('Smoke test from outside', async () => smokeTest(image, access))
  console.log(summary(access, Math.round((Date.now() - start) / 1000)))
})

/** The VM that is running this image, with the context in `.env` applied; undefined if there is none. */
async function runningVm({ disk }: Image): Promise<Machine | undefined> {
  const found = findMachine(myVmName)
  if (!found || !isRunning(found) || found.image !== disk) return undefined
  if (isDeepStrictEqual(found.context, myContext())) {
    console.log('==> The VM is already running this image with this context')
    await waitWithProgress(found)
    return found
  }
  await step('Applying the context in .env to the running VM', async () => {
    await waitWithProgress(found)
    await changeContext(found, myContext())
    await contextualizeNow(found)
  })
  return found
}

function bootVm({ disk, accelerator }: Image): Promise<Machine> {
  return step(`Boot the image (${accelerator}) and wait until it is ready`, async () => {
    const context = myContext()
    const booted = await startVm({
      name: myVmName,
      image: disk,
      accelerator,
      context,
      preferredPorts: myPorts,
    })
    await waitWithProgress(booted)
    return booted
  })
}

/** Waits for the VM, and prints its progress every ten seconds. */
async function waitWithProgress(machine: Machine): Promise<void> {
  const began = Date.now()
  let said = 0
  const describe = (progress: BootProgress | undefined) =>
    progress ? `${progress.status.padEnd(18)} ${progress.lastLine}` : 'booting'
  await waitForContextualization(machine, {
    report: progress => {
      const seconds = Math.round((Date.now() - began) / 1000)
      if (seconds - said < 10) return
      said = seconds
      console.log(`    ${`${seconds} s`.padStart(5)}  ${describe(progress)}`.slice(0, 80))
    },
  })
}

/** Exits with the end of the log if the appliance is not ready. */
async function expectReady(machine: Machine): Promise<void> {
  const status = (await readProgress(machine))?.status
  if (status === 'bootstrap_success' && isReportedReady(machine)) {
    console.log('==> The appliance is ready: bootstrap_success, and READY=YES at OneGate')
    return
  }
  const { stdout } = await ssh(machine, 'tail -n 25 /var/log/one-appliance/slm-copilot.log')
  console.error(`The appliance is not ready: its status is ${status}. The end of its log:\n\n${stdout}`)
  console.error(
    'The VM keeps running: use `make ssh` to look around, `make logs` for the whole log, `make down` to stop it.',
  )
  console.error(
    'After a fix, run `make stage STAGE=configure` and then `make stage STAGE=bootstrap` to try again in this VM.',
  )
  process.exit(1)
}

function smokeTest({ executable }: Image, { endpoint, ca, key }: AccessFiles): void {
  const args = ['smoke-test', '--endpoint', endpoint, '--ca', ca, '--key-file', key]
  const { status } = spawnSync(executable, args, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`the smoke test failed (${status}): ${executable} ${args.join(' ')}`)
}

function summary(access: AccessFiles, seconds: number): string {
  return `
SLM-Copilot is ready after ${seconds} s.

  Endpoint  ${access.endpoint}/v1   (user copilot)
  Key       ${access.key}
  CA        ${access.ca}

${curlLine(access)}

make ssh, make logs, make stage STAGE=configure, make down`
}
