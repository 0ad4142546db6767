/** What is in a bundle: everything that `make image` downloads otherwise. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Release, releaseSchema } from '../../../lib/appliance/models/release.ts'
import { commitOfBranch } from '../git.ts'
import type { GitSource } from '../one-apps.ts'

/** Names in a bundle's folder. */
export const contents = {
  /** Debian's archive, a folder per host: what apt has asked for, under the same paths. */
  debian: 'debian',
  /** llama.cpp and the model, under the names in their URLs. */
  files: 'files',
  /** A cache of npm's own. */
  npm: 'npm',
  /** A bare repository with the pinned commit. */
  oneApps: 'one-apps.git',
  release: 'release.json',
  sums: 'SHA256SUMS',
} as const

/** The branch in that repository. */
export const oneAppsBranch = 'pinned'

/** `key` changes with any file of the bundle. */
export type Bundle = { folder: string; release: Release; oneApps: GitSource; key: string }

/** Opens a verified bundle. */
export function openBundle(folder: string): Bundle {
  const sums = readFileSync(join(folder, contents.sums), 'utf8')
  const oneApps = join(folder, contents.oneApps)
  return {
    folder,
    release: releaseOf(folder),
    oneApps: { url: oneApps, commit: commitOfBranch(oneApps, oneAppsBranch) },
    key: createHash('sha256').update(sums).digest('hex'),
  }
}

const releaseOf = (folder: string): Release =>
  releaseSchema.parse(JSON.parse(readFileSync(join(folder, contents.release), 'utf8')))

/** Whether the folder is a bundle, complete or not: its release is written first. */
export function isBundle(folder: string): boolean {
  try {
    return releaseOf(folder) !== undefined
  } catch {
    return false
  }
}
