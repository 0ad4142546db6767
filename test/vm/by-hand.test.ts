/**
 * packer/README.md, "By hand": its commands, run as they stand, make the image that Packer makes from the same base.
 * Only with NIGHTLY=1, which the nightly run sets: it makes a base image and two bakes.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Release, releaseSchema } from '../../lib/appliance/models/release.ts'
import { chooseAccelerator, cpuModel, cpus } from '../../packer/build/accelerator.ts'
import { bake } from '../../packer/build/bake.ts'
import { makeTemporaryFolder } from '../../packer/build/cache.ts'
import { executable, shim } from '../../packer/build/executable.ts'
import { reportOn, treeOf } from '../../packer/build/image-tree.ts'
import { freePort } from '../../packer/build/ports.ts'
import { step } from '../../packer/build/progress.ts'
import { type Mirror, releaseValue, startMirror } from '../mirror/mirror.ts'
import { blocksRunBy } from '../support/command-blocks.ts'
import { runByHand, scriptOf } from './by-hand.ts'
import { makeFrameworkRepository } from './framework-repository.ts'
import { size } from './image.ts'
import { hostSeenByGuest } from './machine.ts'

// Emulated, on a busy machine.
vi.setConfig({ testTimeout: 30 * 60_000 })

const blocks = blocksRunBy(import.meta.filename)
/** The settings and functions; what needs no VM; what does. */
const base = 1 + blocks.findIndex(({ text }) => text.includes('base-image.sh'))
const [start, toBase, fromBase] = [blocks.slice(0, 2), blocks.slice(2, base), blocks.slice(base)]

it('packer/README.md has all steps', () => {
  expect([start, toBase, fromBase].map(({ length }) => length)).toEqual([2, 3, 7])
})

it('a setting that the text does not have is an error', () => {
  const run = () =>
    execFileSync('bash', ['-c', scriptOf(blocks.slice(0, 1), { NO_SUCH: '1' })], { stdio: 'pipe' })
  expect(run).toThrow('NO_SUCH: is not among the settings')
})

describe.runIf(process.env.NIGHTLY === '1')('the image by hand', () => {
  let folder: string
  let work: string
  let mirror: Mirror
  let release: Release
  let framework: { url: string; commit: string }

  beforeAll(async () => {
    folder = makeTemporaryFolder('by-hand')
    work = join(folder, 'work')
    mkdirSync(work)
    mirror = await startMirror()
    release = releaseSchema.parse(await releaseValue(`http://${hostSeenByGuest}:${mirror.port}`))
    framework = makeFrameworkRepository(join(folder, 'by-hand'))
    writeFileSync(join(work, 'release.json'), JSON.stringify(release))
    const settings = {
      MEMORY: String(size.memory),
      DISK: size.disk,
      PORT: String(await freePort()),
      RELEASE: join(work, 'release.json'),
      WORK: work,
      one_apps_repository: framework.url,
      one_apps_commit: framework.commit,
    }
    await step('Base image by hand', () => runByHand(scriptOf([...start, ...toBase], settings), work))
    const accelerator = await chooseAccelerator(join(work, 'base', 'vmlinuz'))
    const machine = { ACCELERATOR: accelerator, CPU: cpuModel[accelerator], CPUS: String(cpus[accelerator]) }
    const script = scriptOf([...start, ...fromBase], { ...settings, ...machine })
    await step(`Image by hand (${accelerator})`, () => runByHand(script, work))
  })
  afterAll(async () => {
    await mirror?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each([
    ['SHA256SUMS', 'sha256sum'],
    ['MD5SUMS', 'md5sum'],
  ])('matches %s', (file, program) => {
    expect(execFileSync(program, ['--check', file], { cwd: work, encoding: 'utf8' })).toBe(
      'slm-copilot.qcow2: OK\n',
    )
  })

  it('has the files of the image that Packer makes, but for those that differ between any two bakes', async () => {
    const baked = await bake({
      oneAppsDir: framework.url,
      executable,
      shim,
      release,
      size,
      sshTimeout: '30m',
      baseImage: join(work, 'base', 'disk.qcow2'),
    })
    const byHand = treeOf(join(work, 'slm-copilot.qcow2'))
    expect(byHand.size).toBeGreaterThan(5000)
    const { text, isExplained } = reportOn(treeOf(baked.disk), byHand)
    console.log(text)
    expect(isExplained, text).toBe(true)
  })
})
