/**
 * The VM that the test files share: one real first boot per run, and its snapshot, restored for each file.
 *
 *   let vm: Vm
 *   beforeAll(async () => { vm = await readyVm() })
 *
 * is all that a file needs: the appliance is contextualized without any variables, and serving. Nothing needs to be
 * restored or stopped afterwards. A file may save a state that takes long to reach (snapshots.ts), under any other
 * name. Each worker of vitest has a VM of its own, which starts as a copy of the one that was booted.
 */
import { withCacheLock } from '../../packer/build/cache.ts'
import { step } from '../../packer/build/progress.ts'
import { type Image, makeImage } from './image.ts'
import { waitForContextualization } from './ready.ts'
import { hasSnapshot, restoreSnapshot, saveSnapshot, startFromSnapshot } from './snapshots.ts'
import { findVm, shutOff, startVm, stopVm, type Vm, vmNames } from './vm.ts'

const prefix = 'test-'
const origin = `${prefix}origin`
const name = () => `${prefix}${process.env.VITEST_POOL_ID ?? 0}`
const firstBoot = 'first-boot'

/** The VM in its state after a successful first boot. */
export async function readyVm(): Promise<Vm> {
  const image = await makeImage()
  const found = findVm(name())
  if (found?.image === image.disk && hasSnapshot(found, firstBoot)) return restoreSnapshot(found, firstBoot)
  const booted = await withCacheLock(origin, () => bootedVm(image))
  return startFromSnapshot(booted, firstBoot, name(), image.accelerator)
}

/** The VM that was booted, and has been shut off since. */
async function bootedVm({ disk, accelerator }: Image): Promise<Vm> {
  const found = findVm(origin)
  if (found?.image === disk && firstBoot in found.snapshots) return found
  const vm = await startVm({ name: origin, image: disk, accelerator, context: {} })
  const { status, lastLine } = await step('First boot', () => waitForContextualization(vm))
  if (status !== 'bootstrap_success') throw new Error(`the first boot ended with ${status}: ${lastLine}`)
  const saved = await saveSnapshot(vm, firstBoot)
  await shutOff(saved)
  return saved
}

const stopAll = async () => {
  for (const each of vmNames()) if (each.startsWith(prefix)) await stopVm(each)
}

/** Called by vitest before the first file and after the last one, so that each run has a first boot of its own. */
export const setup = stopAll
export const teardown = stopAll
