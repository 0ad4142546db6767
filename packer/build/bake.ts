/** Bakes the appliance's image with Packer, unless one from the same inputs is cached. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Release } from '../../lib/appliance/models/release.ts'
import { type Accelerator, chooseAccelerator, cpuModel, cpus } from './accelerator.ts'
import { inContainer } from './bake-in-container.ts'
import { baseImage, givenBaseImage } from './base-image.ts'
import { fromGuests, type ServedBundle } from './bundle/server.ts'
import { cached, cacheFolder, keyOf } from './cache.ts'
import { type DiskFormat, userNetwork, writeContextDisk } from './context-disk.ts'
import { contentOf } from './files.ts'
import { commitOf } from './git.ts'
import { nameOf } from './one-apps.ts'
import { packer, templates } from './packer.ts'
import { step } from './progress.ts'

const folder = join(import.meta.dirname, '..')
const ownInputs = [...templates, 'provision', 'context'].map(name => join(folder, name))

/** The framework's files that the template copies; its context agent is in the base image. */
const frameworkFiles = ['service.sh', 'lib/common.sh', 'lib/functions.sh', 'scripts']

export type BakeInputs = {
  /** A checkout of the framework. The cache keeps one bake per name of a checkout. */
  oneAppsDir: string
  executable: string
  shim: string
  release: Release
  /** The VM, and the image's disk. */
  size: MachineSize
  /** As Packer takes it, such as `30m`. */
  sshTimeout: string
  /** A disk to start from; by default packer/base-image.sh makes one. */
  baseImage?: string | undefined
  /** In place of the internet. */
  bundle?: ServedBundle | undefined
}

/** `memory` in MB; `disk` as QEMU takes it, such as `8G`. `cpus`: by default what suits the accelerator. */
export type MachineSize = { cpus?: number; memory: number; disk: string }

/**
 * `disk`: a qcow2. `facts`: a folder with what was read from the VM at the end. `inputs`: a digest of everything in
 * it.
 */
export type Baked = { disk: string; facts: string; inputs: string }

/** The name in the cache, to which a digest of the inputs is added. */
export const bakeName = (oneAppsDir: string) => `baked-${nameOf(oneAppsDir)}`

export async function bake(inputs: BakeInputs): Promise<Baked> {
  const base = await (inputs.baseImage
    ? givenBaseImage(inputs.baseImage)
    : baseImage(inputs.oneAppsDir, inputs.bundle))
  const framework = frameworkFiles.map(name => join(inputs.oneAppsDir, 'appliances', name))
  const key = [
    base.name,
    inputs.size.disk,
    releaseKey(inputs.release),
    commitOf(inputs.oneAppsDir) ?? '',
    ...[inputs.executable, inputs.shim, ...ownInputs, ...framework].flatMap(contentOf),
  ]
  const make = async (path: string) => {
    const place = placeFor(await chooseAccelerator(base.kernel), inputs)
    await step(`Bake with Packer (${place})`, () => runPacker(path, base.disk, place, inputs))
  }
  const baked = await cached(bakeName(inputs.oneAppsDir), key, make, { isLarge: true })
  return { disk: join(baked, 'slm-copilot.qcow2'), facts: join(baked, 'facts'), inputs: keyOf(key) }
}

/** The release, except for the port of a mirror on this machine, which differs from run to run. */
const releaseKey = (release: Release) =>
  JSON.stringify(release).replaceAll(/(http:\/\/10\.0\.2\.2):\d+/g, '$1')

type Place = 'container' | Accelerator

/** Without KVM, a container is several times as fast as a VM, but it can boot only our own base image. */
const placeFor = (accelerator: Accelerator, { baseImage: given }: BakeInputs): Place =>
  accelerator === 'tcg' && given === undefined ? 'container' : accelerator

const consoleLog = join(cacheFolder, 'logs', 'bake-console.log')

/** Fills the folder with `slm-copilot.qcow2` and `facts`. */
async function runPacker(path: string, baseDisk: string, place: Place, inputs: BakeInputs): Promise<void> {
  const work = join(path, 'work')
  const facts = join(path, 'facts')
  mkdirSync(work, { recursive: true })
  mkdirSync(facts)
  const variables = packerVariables({ work, facts, baseDisk, place }, inputs)
  const disk = await (place === 'container' ? bakeInContainer : bakeInVm)({ ...variables, work })
  renameSync(disk, join(path, 'slm-copilot.qcow2'))
  rmSync(work, { recursive: true })
}

type Variables = Omit<ReturnType<typeof packerVariables>, 'work'>
type Bake = Variables & { work: string }

async function bakeInVm({ work, ...variables }: Bake): Promise<string> {
  await build('qemu', variables, work)
  return join(variables.output_directory, 'slm-copilot.qcow2')
}

/** Packer provisions a container that runs before and after. */
const bakeInContainer = ({ work, ...variables }: Bake): Promise<string> =>
  inContainer(
    {
      work,
      baseDisk: variables.base_image,
      diskSize: variables.disk_size,
      contextDisk: variables.context_disk,
      key: variables.ssh_key,
      console: consoleLog,
    },
    port => build('null', { ...variables, ssh_port: port }, work),
  )

const build = (
  source: 'qemu' | 'null',
  variables: Variables & { ssh_port?: number },
  work: string,
): Promise<void> => packer(['build', '-color=false', `-only=${source}.slm-copilot`], variables, work)

/** Two existing folders, what to start from, and where. */
type BakePlaces = { work: string; facts: string; baseDisk: string; place: Place }

/** The template's inputs. Writes what they name into the bake's working folder. */
export function packerVariables({ work, facts, baseDisk, place }: BakePlaces, inputs: BakeInputs) {
  const release = join(work, 'release.json')
  writeFileSync(release, `${JSON.stringify(inputs.release, null, 2)}\n`)
  // The template asks for a VM's settings even where a container takes its place.
  const accelerator = place === 'container' ? 'tcg' : place
  return {
    base_image: baseDisk,
    one_apps_dir: inputs.oneAppsDir,
    one_apps_commit: commitOf(inputs.oneAppsDir) ?? '',
    executable: inputs.executable,
    shim: inputs.shim,
    release,
    ...(inputs.bundle && { bundle_server: fromGuests(inputs.bundle) }),
    ...temporaryAccess(work, place === 'container' ? 'ext4' : 'iso9660'),
    output_directory: join(work, 'image'),
    facts_directory: facts,
    accelerator,
    cpu_model: cpuModel[accelerator],
    cpus: inputs.size.cpus ?? cpus[accelerator],
    memory: inputs.size.memory,
    disk_size: inputs.size.disk,
    ssh_timeout: inputs.sshTimeout,
    serial: `file:${consoleLog}`,
    // The export compacts it.
    skip_compaction: true,
  }
}

/**
 * cloud-init, where a base image has it, reads the context disk as well. Without this, it lets the key in only to say that
 * root may not log in, and gives the interface an address without a gateway; with modules, it would also make a user.
 */
const forCloudInit = {
  ETH0_IP: '10.0.2.15',
  ETH0_GATEWAY: '10.0.2.2',
  USER_DATA: '#cloud-config\ncloud_init_modules: []\ncloud_config_modules: []\ncloud_final_modules: []\n',
}

/** A key pair for this bake only, and a context disk that authorises it. */
function temporaryAccess(work: string, format: DiskFormat): { context_disk: string; ssh_key: string } {
  const key = join(work, 'key')
  const disk = join(work, 'context.disk')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bake', '-f', key])
  const publicKey = execFileSync('ssh-keygen', ['-y', '-f', key], { encoding: 'utf8' }).trim()
  writeContextDisk(disk, { context: { ...userNetwork, ...forCloudInit, SSH_PUBLIC_KEY: publicKey }, format })
  return { context_disk: disk, ssh_key: key }
}
