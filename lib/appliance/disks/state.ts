/** What is on the disk with the state: folders of the VM, and the version that wrote them. */
import * as z from 'zod'
import { paths } from '../paths.ts'
import { compareVersions } from '../upgrade/version.ts'

/** The folders that outlive a VM, each with its name on the disk. */
export const stateFolders = [
  { name: 'state', path: paths.state, mode: 0o700 },
  { name: 'certificates', path: paths.tls, mode: 0o755 },
  { name: 'acme', path: paths.certbot, mode: 0o755 },
  { name: 'cache', path: paths.cache, mode: 0o755 },
] as const

/** Raised when older versions could not read what is written from then on. */
const layout = 1

/** The file that completes the state: without it, the folders are an unfinished copy. */
export const stampSchema = z.looseObject({
  layout: z.int(),
  /** The newest version that has used it. */
  version: z.string(),
})
export type Stamp = z.infer<typeof stampSchema>

export const stampOf = (version: string): Stamp => ({ layout, version })

/**
 * Why a version may not use this state. `isOwn`: it is this VM's, where a newer version may have been rolled back
 * (`slm-copilot upgrade --rollback`).
 */
export function stampProblem(stamp: Stamp, version: string, isOwn: boolean): string | undefined {
  const isNewer = compareVersions(stamp.version, version) > 0
  if (stamp.layout <= layout && (!isNewer || isOwn)) return undefined
  return `The state was written by version ${stamp.version}, and this is ${version}: an older version may not understand it. Boot an image of ${stamp.version} or newer.`
}

/** Files that are not the appliance's, on a disk without a stamp. */
export const foreignFiles = (names: string[]): string[] => {
  const ours = ['lost+found', ...stateFolders.flatMap(({ name }) => [name, partial(name)])]
  return names.filter(name => !ours.includes(name) && !name.startsWith('.nfs'))
}

/** The name of a folder while it is being copied. */
export const partial = (name: string) => `.${name}.new`

/** What `attach-disks` has found and done, for the stages and commands. */
export const disksSchema = z.strictObject({
  models: z.strictObject({ source: z.string() }).optional(),
  state: z.strictObject({ device: z.string(), uuid: z.string() }).optional(),
  /** Warnings, for report and log. */
  notes: z.array(z.string()),
  /** Why the state cannot be used: a reason not to configure. */
  refusal: z.string().optional(),
})
export type Disks = z.infer<typeof disksSchema>

export const usedDiskSchema = z.strictObject({ uuid: z.string() })
