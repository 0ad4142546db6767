/** What `make image` needs from the machine: everything that is missing is reported at once. */
import { bakedModels } from '../../../lib/appliance/models/release.ts'
import { readable } from '../../../lib/system/large-files.ts'
import type { BuildMachine } from './build-machine.ts'
import type { Settings } from './settings.ts'

/** Command → Debian package (packer/build/prerequisites.sh). */
const commands = {
  bake: {
    packer: 'packer',
    'qemu-system-x86_64': 'qemu-system-x86',
    'qemu-img': 'qemu-utils',
    genisoimage: 'genisoimage',
    'ssh-keygen': 'openssh-client',
    setpriv: 'util-linux',
    git: 'git',
  },
  baseImage: {
    mmdebstrap: 'mmdebstrap',
    extlinux: 'extlinux',
    sfdisk: 'fdisk',
    'mkfs.ext4': 'e2fsprogs',
    mount: 'mount',
    unshare: 'util-linux',
    fstrim: 'util-linux',
  },
  /** Where the base image is booted if KVM does not work. */
  container: {
    'systemd-nspawn': 'systemd-container',
    slirp4netns: 'slirp4netns',
    e2fsck: 'e2fsprogs',
    resize2fs: 'e2fsprogs',
    losetup: 'mount',
  },
  sign: { minisign: 'minisign' },
  bundle: { nginx: 'nginx' },
} as const

/** Commands that are used with these settings, with their packages. */
export const commandsFor = ({ baseImage, signKey, bundle }: Settings): Record<string, string> => ({
  ...commands.bake,
  ...(baseImage ? {} : { ...commands.baseImage, ...commands.container }),
  ...(signKey ? commands.sign : {}),
  ...(bundle ? commands.bundle : {}),
})

const gibibyte = 2 ** 30
/** Packages, llama.cpp and the appliance, compressed. */
const restOfImage = 1e9
/** Of QEMU itself, beside the VM's memory. */
const overhead = 0.5 * gibibyte

/** One line for each thing that is missing. */
export function missingFrom(machine: BuildMachine, settings: Settings): string[] {
  return [
    ...missingCommands(machine, settings),
    ...missingForContainer(machine, settings),
    ...missingFolders(machine),
    ...missingSpace(machine, settings),
    ...missingMemory(machine, settings),
  ]
}

function missingCommands(machine: BuildMachine, settings: Settings): string[] {
  const packages = commandsFor(settings)
  const lines = machine.missing.map(
    command => `${command}: in Debian's package ${packages[command]}; \`make prepare\` installs it`,
  )
  if (!settings.baseImage && !machine.canBeRoot)
    lines.push(
      'root: the base image is mounted while it is made; install sudo, run this as root, or set BASE_IMAGE',
    )
  return lines
}

/** Without KVM the image is baked in a container, unless a base image is given. */
const isInContainer = ({ withoutKvm }: BuildMachine, { baseImage }: Settings): boolean =>
  withoutKvm !== undefined && baseImage === undefined

const missingForContainer = (machine: BuildMachine, settings: Settings): string[] =>
  isInContainer(machine, settings)
    ? machine.lacksForContainer.map(what => `${what}: the container in which the image is baked needs it`)
    : []

const missingFolders = ({ cache, output }: BuildMachine): string[] =>
  [
    { ...cache, variable: 'SLM_COPILOT_CACHE' },
    { ...output, variable: 'OUTPUT' },
  ]
    .filter(({ isWritable }) => !isWritable)
    .map(({ path, variable }) => `folder: this user cannot write to ${path} (or set ${variable})`)

/** The image while it is baked may grow to its full size; the exported copy is about as large as the model. */
function missingSpace({ cache, output }: BuildMachine, { size, release }: Settings): string[] {
  const needs = [
    {
      ...cache,
      bytes: Number.parseInt(size.disk, 10) * 2 ** 20,
      what: 'for the image while it is baked (or set DISK)',
    },
    {
      ...output,
      bytes: bakedModels(release).reduce((sum, { size }) => sum + size, 0) + restOfImage,
      what: 'for the compressed image',
    },
  ].map(need => ({ ...need, bytes: Math.max(0, need.bytes - need.freed) }))
  const [first, second] = needs as [(typeof needs)[0], (typeof needs)[0]]
  const together = { ...first, bytes: first.bytes + second.bytes, what: `${first.what} and ${second.what}` }
  const disks = first.device === second.device ? [together] : needs
  return disks
    .filter(({ bytes, free }) => free < bytes)
    .map(
      ({ path, free, bytes, what }) =>
        `disk space: ${path} has ${readable(free)} free and needs ${readable(bytes)} ${what}`,
    )
}

function missingMemory({ memory }: BuildMachine, { size }: Settings): string[] {
  const needed = size.memory * 2 ** 20 + overhead
  return memory < needed
    ? [`memory: ${readable(memory)} is available, and the bake needs ${readable(needed)} (or set MEMORY)`]
    : []
}

/** What slows the bake down without preventing it. */
export function warningsFor(machine: BuildMachine, settings: Settings): string[] {
  const { withoutKvm, cpus } = machine
  if (isInContainer(machine, settings)) return [`no KVM (${withoutKvm}): the image is baked in a container`]
  const lines = []
  if (withoutKvm !== undefined)
    lines.push(
      `no KVM (${withoutKvm}): QEMU emulates the CPU, and what takes minutes with KVM takes up to an hour. Without BASE_IMAGE, the image is baked in a container`,
    )
  if (cpus < settings.size.cpus) lines.push(`the VM's ${settings.size.cpus} vCPUs share ${cpus} CPUs`)
  return lines
}
