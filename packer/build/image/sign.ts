/** Signs checksums and manifest with minisign. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { names } from './export.ts'
import type { Manifest } from './manifest.ts'

const signedNames = [names.sha256, names.md5, names.manifest, names.oneAppsManifest]

/** Writes a signature beside each. minisign may ask for the key's password on the terminal, once. */
export function sign(folder: string, key: string, manifest: Manifest): void {
  const comment = `${manifest.name} ${manifest.version} ${manifest.image} sha256:${manifest.sha256}`
  signFiles(
    signedNames.map(name => join(folder, name)),
    key,
    comment,
  )
}

/** `comment`: signed too, and shown when a signature is checked. */
export function signFiles(paths: string[], key: string, comment: string): void {
  const { status, error } = spawnSync('minisign', ['-S', '-s', key, '-t', comment, '-m', ...paths], {
    stdio: ['inherit', 'ignore', 'inherit'],
  })
  if (status !== 0)
    throw new Error(`Signing failed: minisign with ${key} ended with ${error?.message ?? status}`)
}
