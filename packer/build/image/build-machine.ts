/** The machine that builds the image: commands, memory, disks, KVM. */
import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { canOpenKvm, knownAccelerator } from '../accelerator.ts'
import { hasControlGroups } from '../container.ts'

/**
 * `freed`: bytes of earlier results, which are either kept or removed first. `device`: which disk it is on. `isWritable`:
 * this user may create it, or write to it.
 */
type Folder = { path: string; device: number; free: number; freed: number; isWritable: boolean }

export type BuildMachine = {
  missing: string[]
  /** Root, or sudo is there: the base image is mounted while it is made. */
  canBeRoot: boolean
  cpus: number
  /** Bytes available to a new process. */
  memory: number
  cache: Folder
  output: Folder
  /** Why there is none; undefined if there is, as far as is known before a test boot. */
  withoutKvm: string | undefined
  /** What a container needs besides commands, and is not there. */
  lacksForContainer: string[]
}

type BuildRequest = {
  commands: string[]
  /** Folders that are written to, and the earlier results in them. */
  cache: { path: string; results: string[] }
  output: { path: string; results: string[] }
}

export function readBuildMachine({ commands, cache, output }: BuildRequest): BuildMachine {
  return {
    missing: commands.filter(command => !isInstalled(command)),
    canBeRoot: process.getuid?.() === 0 || isInstalled('sudo'),
    cpus: availableParallelism(),
    memory: availableMemory(),
    cache: readFolder(cache),
    output: readFolder(output),
    withoutKvm: withoutKvm(),
    lacksForContainer: [
      ...(existsSync('/dev/net/tun') ? [] : ['/dev/net/tun']),
      ...(hasControlGroups() ? [] : ['control groups of version 2']),
    ],
  }
}

/** A user's PATH lacks the folders of root's commands, which are run with sudo. */
const isInstalled = (command: string): boolean =>
  [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].some(folder => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

const availableMemory = () =>
  Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024

function readFolder({ path, results }: { path: string; results: string[] }): Folder {
  const existing = existingParent(path)
  const { bavail, bsize } = statfsSync(existing)
  const freed = results.reduce((sum, result) => sum + diskUsage(result), 0)
  const isWritable = canWriteTo(existing)
  return { path, device: statSync(existing).dev, free: bavail * bsize, freed, isWritable }
}

function canWriteTo(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return statSync(folder).isDirectory()
  } catch {
    return false
  }
}

const existingParent = (path: string): string => (existsSync(path) ? path : existingParent(dirname(path)))

/** Bytes that a file, or a folder with all that is in it, takes on the disk. */
function diskUsage(path: string): number {
  if (!existsSync(path)) return 0
  const inside = statSync(path).isDirectory() ? readdirSync(path).map(name => join(path, name)) : []
  return inside.reduce((sum, each) => sum + diskUsage(each), statSync(path).blocks * 512)
}

function withoutKvm(): string | undefined {
  const known = knownAccelerator()
  if (known) return known.accelerator === 'tcg' ? known.reason : undefined
  return canOpenKvm() ? undefined : 'this user cannot open /dev/kvm'
}
