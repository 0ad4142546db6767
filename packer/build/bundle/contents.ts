/** What is in a bundle: everything that `make image` downloads otherwise. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Release, releaseSchema } from '../../../lib/appliance/models/release.ts'

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

/** `key` changes with any file of the bundle. */
export type Bundle = { folder: string; release: Release; oneApps: string; key: string }

/** Opens a verified bundle. */
export function openBundle(folder: string): Bundle {
  const text = (name: string) => readFileSync(join(folder, name), 'utf8')
  return {
    folder,
    release: releaseSchema.parse(JSON.parse(text(contents.release))),
    oneApps: join(folder, contents.oneApps),
    key: createHash('sha256').update(text(contents.sums)).digest('hex'),
  }
}
