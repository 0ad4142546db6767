/**
 * `make image` from a bundle, in a clean clone and in a network namespace that has a loopback interface and no routes.
 * Only with NIGHTLY=1, which the nightly run sets: it makes a bundle, a base image and a bake of its own, from an empty
 * cache, and no other test shares any of them.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { makeBundle } from '../../packer/build/bundle.ts'
import { manifestSchema } from '../../packer/build/image/manifest.ts'
import { parseSettings } from '../../packer/build/image/settings.ts'
import { runLogged, step } from '../../packer/build/progress.ts'
import { releaseValue, startMirror } from '../mirror/mirror.ts'
import { makeFrameworkRepository } from './framework-repository.ts'

// Emulated, on a busy machine.
vi.setConfig({ testTimeout: 30 * 60_000 })

const checkout = resolve(import.meta.dirname, '..', '..')
const isWanted = process.env.NIGHTLY === '1'
let work: string
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'offline-'))
})
afterEach(() => rmSync(work, { recursive: true, force: true }))

it.skipIf(!isWanted)('builds the image without a network', async () => {
  const [bundle, release, clone] = ['a bundle', 'release.json', 'clone'].map(name => join(work, name)) as [
    string,
    string,
    string,
  ]
  const { url: folder, commit } = makeFrameworkRepository(join(work, 'framework'))
  const mirror = await startMirror()
  writeFileSync(release, JSON.stringify(await releaseValue(mirror.url)))
  await step('make bundle', () =>
    makeBundle(parseSettings({ RELEASE: release, ONE_APPS_DIR: folder }), bundle),
  )
  await mirror.close()

  execFileSync('git', ['clone', '--quiet', checkout, clone])
  const command =
    'ip link set lo up; ip route show table all | grep -v "^local\\|^broadcast" | tee routes; make image'
  const small = { CPUS: '1', MEMORY: '2G', DISK: '8G' }
  const env = { ...small, BUNDLE: bundle, SLM_COPILOT_CACHE: join(work, 'cache') }
  await step('make image BUNDLE=… without a network', () =>
    runLogged('offline', ['unshare', '--net', 'bash', '-c', command], { cwd: clone, env }),
  )

  // It can be used again.
  execFileSync(join(checkout, 'packer/build/verify-bundle.sh'), [bundle])
  expect(readFileSync(join(clone, 'routes'), 'utf8')).toBe('')
  const image = join(clone, 'dist', 'image')
  execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: image })
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(image, 'manifest.json'), 'utf8')))
  expect(manifest).toMatchObject({ model: { name: 'sentence' }, commits: { oneApps: commit } })
  expect(existsSync(join(image, manifest.image))).toBe(true)
})
