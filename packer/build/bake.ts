/** Bakes the appliance's image with Packer, unless one of the same inputs is there. */
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

/** Debian's Packer has the QEMU builder inside and refuses the block that names it as a plugin. */
const templates = ['slm-copilot.pkr.hcl', 'variables.pkr.hcl']
const ownInputs = [...templates, 'provision', 'context'].map(name => join(folder, name))

/** The framework's files that the template copies; its context agent is in the base image. */
const frameworkFiles = ['service.sh', 'lib/common.sh', 'lib/functions.sh', 'scripts']

export type BakeInputs = {
  /** Of the file in the cache, where each name has one version: `baked-<the framework's folder>` by default. */
  name?: string
  /** A checkout of the framework. */
  oneAppsDir: string
  executable: string
  shim: string
  /** A release file, and what it stands for: its text names a mirror whose port is another at each run. */
  release?: { file: string; key: string }
  /** VM sizes: the small ones of a test by default. Memory in MB. */
  size?: Size
}

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
  removeAbandoned()
  const work = mkdtempSync(join(cacheFolder, `.bake-${process.pid}-`))
  const output = join(work, 'image')
  const variables: Record<string, string | number | boolean> = {
    base_image: baseDisk,
    one_apps_dir: inputs.oneAppsDir,
    executable: inputs.executable,
    shim: inputs.shim,
    ...(inputs.release && { release: inputs.release.file }),
    ...throwAwayAccess(work),
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
      // Its cache would be a folder in the checkout; its check for updates asks the internet.
      env: { PACKER_CACHE_DIR: join(work, 'cache'), CHECKPOINT_DISABLE: '1' },
      show: /^(==>| {4}qemu)/,
    })
    renameSync(join(output, 'slm-copilot.qcow2'), path)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** What a bake that was interrupted could not remove: its folder names a process that is gone. */
function removeAbandoned(): void {
  for (const name of readdirSync(cacheFolder)) {
    const pid = /^\.bake-(\d+)-/.exec(name)?.[1]
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(cacheFolder, name), { recursive: true, force: true })
  }
}

/** A key pair for this bake alone, and the context disk that lets it in. */
function throwAwayAccess(work: string): { context_iso: string; ssh_key: string } {
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
