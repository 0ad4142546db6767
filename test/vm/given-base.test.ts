/**
 * A base image of somebody else's, with what cloud images have and ours has not: needrestart, which must restart nothing
 * during the bake, and cloud-init, which must not lock Packer out, and of which nothing may remain. Only with NIGHTLY=1,
 * which the nightly run sets: it makes a base image, and bakes it in a VM.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { releaseSchema } from '../../lib/appliance/models/release.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { chooseAccelerator } from '../../packer/build/accelerator.ts'
import { bake, bakeName } from '../../packer/build/bake.ts'
import { baseImage } from '../../packer/build/base-image.ts'
import { makeTemporaryFolder, versionsOf } from '../../packer/build/cache.ts'
import { buildExecutable, shim } from '../../packer/build/executable.ts'
import { runLogged, step } from '../../packer/build/progress.ts'
import { releaseValue, startMirror } from '../mirror/mirror.ts'
import { sentence } from '../mirror/sentence-model.ts'
import { traces } from '../support/traces.ts'
import { readAccess } from './access.ts'
import { ask } from './client.ts'
import { makeFrameworkRepository } from './framework-repository.ts'
import { size } from './image.ts'
import { hostSeenByGuest } from './machine.ts'
import { bootedVm } from './shared.ts'

// Emulated, on a busy machine.
vi.setConfig({ hookTimeout: 60 * 60_000, testTimeout: 30 * 60_000 })

const name = 'given-base'
/** cloud-init runs sudo to read OpenNebula's context disk. */
const packages = ['cloud-init', 'needrestart', 'sudo']
const programs = ['usr/bin/cloud-init', 'usr/sbin/needrestart']

/** As in Ubuntu. */
const restartsAutomatically = `$nrconf{restart} = 'a';\n`

/** A service that needrestart finds outdated after each installation: its program has been replaced since it started. */
const outdated = `[Service]
Type=exec
ExecStartPre=/bin/sh -c 'echo started >> /opt/outdated.log'
ExecStart=/opt/outdated infinity
ExecStartPost=/bin/cp --remove-destination /bin/sleep /opt/outdated

[Install]
WantedBy=multi-user.target
`

describe.runIf(process.env.NIGHTLY === '1')('an image from a base of somebody else’s', () => {
  let folder: string
  let root: string
  let image: string

  const has = (path: string) => existsSync(join(root, path))

  /** Mounts the first partition of a raw disk. */
  const mount = (disk: string, ...options: string[]) => {
    mkdirSync(root, { recursive: true })
    execFileSync('mount', ['-o', ['loop', 'offset=1048576', ...options].join(), disk, root])
  }
  const unmount = () => execFileSync('umount', [root])
  const convert = (from: string, format: string, to: string) =>
    execFileSync('qemu-img', ['convert', '-O', format, from, to])

  async function addPackages(): Promise<void> {
    copyFileSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'))
    const install = `apt-get -q update && apt-get -q install -y --no-install-recommends ${packages.join(' ')}`
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    await runLogged('given-base', ['chroot', root, 'bash', '-c', install], { env })
    expect(programs.filter(path => !has(path))).toEqual([])
  }

  function addOutdatedService(): void {
    writeFileSync(join(root, 'etc/needrestart/conf.d/50-automatic.conf'), restartsAutomatically)
    writeFileSync(join(root, 'etc/systemd/system/outdated.service'), outdated)
    copyFileSync(join(root, 'bin/sleep'), join(root, 'opt/outdated'))
    execFileSync('chroot', [root, 'systemctl', 'enable', 'outdated.service'], { stdio: 'pipe' })
  }

  /** Our own base image with all that; a raw disk. */
  async function makeBase(own: string): Promise<string> {
    const disk = join(folder, 'base.raw')
    convert(own, 'raw', disk)
    mount(disk)
    try {
      await addPackages()
      addOutdatedService()
    } finally {
      unmount()
    }
    return disk
  }

  async function bakeFrom(base: string): Promise<string> {
    const mirror = await startMirror()
    try {
      const release = releaseSchema.parse(await releaseValue(`http://${hostSeenByGuest}:${mirror.port}`))
      const executable = await buildExecutable()
      // The cache keeps one bake per name of a checkout.
      const oneAppsDir = makeFrameworkRepository(join(folder, name)).url
      const inputs = { oneAppsDir, executable, shim, release, size, sshTimeout: '30m', baseImage: base }
      return (await bake(inputs)).disk
    } finally {
      await mirror.close()
    }
  }

  beforeAll(async () => {
    folder = makeTemporaryFolder(name)
    root = join(folder, 'root')
    const base = join(folder, 'base.qcow2')
    const own = await baseImage(join(import.meta.dirname, 'framework'))
    const disk = await step(`Base image with ${packages.join(', ')}`, () => makeBase(own.disk))
    convert(disk, 'qcow2', base)
    image = await bakeFrom(base)
    const raw = join(folder, 'image.raw')
    convert(image, 'raw', raw)
    mount(raw, 'ro', 'noload')
  })
  afterAll(() => {
    spawnSync('umount', ['--quiet', root])
    rmSync(folder, { recursive: true, force: true })
    for (const version of versionsOf(bakeName(name))) rmSync(version, { recursive: true })
  })

  it('has the appliance, needrestart as it was, and no cloud-init', () => {
    expect(['usr/sbin/nginx', ...programs].filter(has)).toEqual(['usr/sbin/nginx', 'usr/sbin/needrestart'])
    expect(globSync('etc/needrestart/conf.d/*.conf', { cwd: root })).toEqual([
      'etc/needrestart/conf.d/50-automatic.conf',
      // The appliance's own, for what serves.
      paths.needrestartConfiguration.slice(1),
    ])
  })

  it('no service was restarted while packages were installed', () => {
    expect(readFileSync(join(root, 'opt/outdated.log'), 'utf8')).toBe('started\n')
  })

  it('cloud-init has neither made a user nor let one become root', () => {
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).not.toMatch(/^debian:/m)
    expect(globSync('etc/sudoers.d/*', { cwd: root })).toEqual(['etc/sudoers.d/README'])
  })

  it.each(traces)('has no trace of the bake: $what', ({ find }) => {
    expect(find(root)).toEqual([])
  })

  it('boots, and answers', async () => {
    const vm = await bootedVm(name, image, await chooseAccelerator())
    const json = { messages: [{ role: 'user', content: 'Hello!' }] }
    const { body } = await ask(await readAccess(vm), '/v1/chat/completions', { json })
    expect(JSON.parse(body).choices[0].message.content).toBe(sentence)
  })
})
