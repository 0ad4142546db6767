/** Collects a bundle, part by part. What is there already, and is what is wanted, is not downloaded again. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { bakedModels, type Release } from '../../../lib/appliance/models/release.ts'
import { packages } from '../../../lib/appliance/packages.ts'
import { stateFiles } from '../../../lib/appliance/state-files.ts'
import { download } from '../../../lib/system/download.ts'
import { openHost } from '../../../lib/system/host.ts'
import { makeBaseImage } from '../base-image.ts'
import { withTemporaryFolder } from '../cache.ts'
import { fromAnyOwner } from '../git.ts'
import { runLogged } from '../progress.ts'
import { contents, isBundle, oneAppsBranch } from './contents.ts'
import { onThisMachine, withServer } from './server.ts'

const checkout = resolve(import.meta.dirname, '..', '..', '..')

/** Packages of package-lock.json, in a cache that `npm ci --offline` installs from. */
export const collectNpm = (folder: string): Promise<void> =>
  withTemporaryFolder('bundle-npm', async work => {
    for (const name of ['package.json', 'package-lock.json', '.npmrc'])
      copyFileSync(join(checkout, name), join(work, name))
    const cache = join(folder, contents.npm)
    const options = ['--ignore-scripts', '--no-audit', '--logs-max=0', `--cache=${cache}`]
    await runLogged('bundle-npm', ['npm', 'ci', ...options], { cwd: work })
    rmSync(join(cache, '_cacache', 'tmp'), { recursive: true, force: true })
  })

/** The commit that a checkout is at, without its history. */
export async function collectOneApps(oneAppsDir: string, folder: string): Promise<void> {
  const repository = join(folder, contents.oneApps)
  rmSync(repository, { recursive: true, force: true })
  const git = (name: string, ...args: string[]) => runLogged(`bundle-git-${name}`, ['git', ...args])
  await git(
    'init',
    'init',
    '--quiet',
    '--bare',
    '--template=',
    `--initial-branch=${oneAppsBranch}`,
    repository,
  )
  const source = `file://${resolve(oneAppsDir)}`
  const branch = `HEAD:refs/heads/${oneAppsBranch}`
  await git('fetch', '-C', repository, 'fetch', '--quiet', '--depth=1', fromAnyOwner, source, branch)
  rmSync(join(repository, 'FETCH_HEAD'), { force: true })
}

/**
 * What apt downloads for the base image, and on top of it for a bake: signed metadata and packages. Everything anew, so
 * that metadata and packages are of one moment.
 */
export async function collectDebian(oneAppsDir: string, folder: string): Promise<void> {
  rmSync(join(folder, contents.debian), { recursive: true, force: true })
  await withTemporaryFolder('bundle-base', work =>
    withServer(folder, true, ({ port }) =>
      makeBaseImage(oneAppsDir, join(work, 'base'), {
        environment: { http_proxy: onThisMachine({ port }) },
        additional: packages,
      }),
    ),
  )
}

/** llama.cpp and the model, and nothing of an earlier release; interrupted downloads are resumed. */
export async function collectFiles(release: Release, folder: string): Promise<void> {
  const host = openHost({ env: {} })
  const files = join(folder, contents.files)
  mkdirSync(files, { recursive: true })
  // Beside the bundle: what has been verified is a fact about this machine.
  const proofs = { ...stateFiles.fileProofs, path: `${folder}.verified.json` }
  const wanted = [release.llamaCpp.archive, ...bakedModels(release)]
  const names = wanted.map(({ url }) => basename(url))
  for (const name of readdirSync(files))
    if (!names.includes(name.replace(/\.part$/, ''))) rmSync(join(files, name))
  for (const { url, size, sha256 } of wanted)
    await download(host, { url, size, sha256, path: join(files, basename(url)), proofs })
}

/** The list of checksums, written last: without it a bundle is not complete. */
export function writeSums(folder: string): void {
  const list = 'find . -type f ! -path ./SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum'
  const sums = execFileSync('bash', ['-c', list], { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28 })
  writeFileSync(join(folder, contents.sums), sums)
}

/**
 * Removes the list while the bundle changes. Throws if the folder is not a bundle, not even one that was
 * interrupted: what a bundle does not need is removed from it.
 */
export function startOver(release: Release, folder: string): void {
  const isOther = existsSync(folder) && readdirSync(folder).length > 0 && !isBundle(folder)
  if (isOther)
    throw new Error(`${folder} is not empty, and not a bundle. Set BUNDLE to a new folder, or to a bundle.`)
  mkdirSync(folder, { recursive: true })
  rmSync(join(folder, contents.sums), { force: true })
  writeFileSync(join(folder, contents.release), `${JSON.stringify(release, null, 2)}\n`)
}
