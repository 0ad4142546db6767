/** What decides whether a checkout may be released, read from its files and from Git. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Release } from '../../../lib/appliance/models/release.ts'
import { changedFiles, commitOf, commitOfTag } from '../git.ts'
import { names } from '../image/export.ts'
import { type Manifest, readManifest } from '../image/manifest.ts'
import type { ReleaseFacts } from './check.ts'

const packageSchema = z.object({ version: z.string() })

/** Throws if the checkout is not Git's. `release`: what the archive for upgrades is made of. */
export function readReleaseFacts(checkout: string, { llamaCpp }: Pick<Release, 'llamaCpp'>): ReleaseFacts {
  const text = (name: string) => readFileSync(join(checkout, name), 'utf8')
  const versionIn = (name: string) => packageSchema.parse(JSON.parse(text(name))).version
  const commit = commitOf(checkout)?.replace(/-dirty$/, '')
  if (commit === undefined) throw new Error(`${checkout} is not a Git checkout with a commit`)
  const version = versionIn('package.json')
  const manifest = readManifest(join(checkout, 'dist', 'image', names.manifest))
  return {
    version,
    lockedVersion: versionIn('package-lock.json'),
    changelog: text('CHANGELOG.md'),
    commit,
    taggedCommit: commitOfTag(checkout, `v${version}`),
    changedFiles: changedFiles(checkout),
    llamaCpp: llamaCpp.archive.sha256,
    image: manifest && imageOf(manifest),
  }
}

const imageOf = ({ version, commits, llamaCpp }: Manifest) => ({
  version,
  commit: commits.slmCopilot,
  llamaCpp: llamaCpp.sha256,
})
