/** Bakes the appliance's image with Packer, unless one from the same inputs is cached. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Accelerator, chooseAccelerator, cpuModel, cpus } from './accelerator.ts'
import { baseImage } from './base-image.ts'
import { cached, cacheFolder } from './cache.ts'
import { userNetwork, writeContextDisk } from './context-disk.ts'
import { contentOf } from './files.ts'
import { runLogged, step } from './progress.ts'

const folder = join(import.meta.dirname, '..')
const checkout = join(folder, '..')

/** Debian's Packer has the QEMU builder built in, and rejects the block that requires it as a plugin. */
const templates = ['slm-copilot.pkr.hcl', 'variables.pkr.hcl']
const ownInputs = [...templates, 'provision', 'context'].map(name => join(folder, name))

/** The framework's files that the template copies; its context agent is in the base image. */
const frameworkFiles = ['service.sh', 'lib/common.sh', 'lib/functions.sh', 'scripts']

export type BakeInputs = {
  /** Name of the file in the cache, which keeps one version per name: by default `baked-<the framework's folder>`. */
  name?: string
  /** A checkout of the framework. */
  oneAppsDir: string
  executable: string
  shim: string
  /** A release file, and a key for its content: the text itself names a mirror whose port differs in each run. */
  release?: { file: string; key: string }
  /** Size of the VM, by default a small one for tests. */
  size?: Size
}

/** `memory` in MB; `disk` as QEMU takes it, such as `8G`. */
type Size = { cpus?: number; memory: number; disk: string }
const testSize: Size = { memory: 2048, disk: '8G' }

/** The path of the baked qcow2. */
export async function bake(inputs: BakeInputs): Promise<string> {
  const base = await baseImage(inputs.oneAppsDir)
  const size = inputs.size ?? testSize
  const framework = frameworkFiles.map(name => join(inputs.oneAppsDir, 'appliances', name))
  const key = [
    base.name,
    JSON.stringify(size),
    inputs.release?.key ?? '',
    ...[inputs.executable, inputs.shim, ...ownInputs, ...framework].flatMap(contentOf),
  ]
  return cached(`${inputs.name ?? `baked-${basename(inputs.oneAppsDir)}`}.qcow2`, key, async path => {
    const accelerator = await chooseAccelerator(base.kernel)
    await step(`Bake with Packer (${accelerator})`, () =>
      runPacker(path, base.disk, accelerator, size, inputs),
    )
  })
}

async function runPacker(
  path: string,
  baseDisk: string,
  accelerator: Accelerator,
  size: Size,
  inputs: BakeInputs,
): Promise<void> {
  removeLeftovers()
  const work = mkdtempSync(join(cacheFolder, `.bake-${process.pid}-`))
  const output = join(work, 'image')
  const variables: Record<string, string | number | boolean> = {
    base_image: baseDisk,
    one_apps_dir: inputs.oneAppsDir,
    executable: inputs.executable,
    shim: inputs.shim,
    ...(inputs.release && { release: inputs.release.file }),
    ...temporaryAccess(work),
    output_directory: output,
    accelerator,
    cpu_model: cpuModel[accelerator],
    cpus: size.cpus ?? cpus[accelerator],
    memory: size.memory,
    disk_size: size.disk,
    serial: `file:${join(cacheFolder, 'logs', 'bake-console.log')}`,
    skip_compaction: true,
  }
  try {
    const flags = Object.entries(variables).map(([name, value]) => `-var=${name}=${value}`)
    await runLogged('bake', ['packer', 'build', '-color=false', ...flags, templateFolder(work)], {
      cwd: checkout,
      // By default its cache is a folder in the checkout, and it checks for updates on the internet.
      env: { PACKER_CACHE_DIR: join(work, 'cache'), CHECKPOINT_DISABLE: '1' },
      show: /^(==>| {4}qemu)/,
    })
    renameSync(join(output, 'slm-copilot.qcow2'), path)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Removes what interrupted bakes left behind: folders named after a process that is gone. */
function removeLeftovers(): void {
  for (const name of readdirSync(cacheFolder)) {
    const pid = /^\.bake-(\d+)-/.exec(name)?.[1]
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(cacheFolder, name), { recursive: true, force: true })
  }
}

/** A key pair for this bake only, and a context disk that authorises it. */
function temporaryAccess(work: string): { context_iso: string; ssh_key: string } {
  const key = join(work, 'key')
  const iso = join(work, 'context.iso')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bake', '-f', key])
  const publicKey = execFileSync('ssh-keygen', ['-y', '-f', key], { encoding: 'utf8' }).trim()
  writeContextDisk(iso, { ...userNetwork, SSH_PUBLIC_KEY: publicKey })
  return { context_iso: iso, ssh_key: key }
}

function templateFolder(work: string): string {
  const path = join(work, 'template')
  mkdirSync(path)
  for (const name of templates) symlinkSync(join(folder, name), join(path, name))
  return path
}
