/** A bundle's list of checksums, and what `make image` makes of a bundle. */
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { collectOneApps, startOver, writeSums } from '../../packer/build/bundle/collect.ts'
import { openBundle } from '../../packer/build/bundle/contents.ts'
import { commitOfBranch } from '../../packer/build/git.ts'
import { parseSettings } from '../../packer/build/image/settings.ts'
import { makeFrameworkRepository } from '../vm/framework-repository.ts'

const work = mkdtempSync(join(tmpdir(), 'bundle-'))
afterAll(() => rmSync(work, { recursive: true }))

const model = 'files/a model.gguf'
const begin = (folder: string) => startOver(productionRelease, folder)
// A folder's name may contain anything.
const sound = join(work, 'a "sound" bundle; $x')
const framework = makeFrameworkRepository(join(work, 'framework'))
begin(sound)
mkdirSync(join(sound, 'files'))
writeFileSync(join(sound, model), 'weights')
await collectOneApps(framework.url, sound)
writeSums(sound)

/** A copy of the sound bundle that something has happened to. */
function bundleAfter(damage: (folder: string) => void): string {
  const folder = mkdtempSync(join(work, 'copy-'))
  cpSync(sound, folder, { recursive: true })
  damage(folder)
  return folder
}

const script = resolve(import.meta.dirname, '..', '..', 'packer', 'build', 'verify-bundle.sh')
const verify = (folder: string) => {
  const { status, stderr } = spawnSync(script, [folder], { encoding: 'utf8' })
  return { status, stderr }
}

describe('before a bundle is used, it is compared with its list', () => {
  it.each([
    ['as it was', () => {}, 0, /^$/],
    [
      'a changed file',
      (at: string) => appendFileSync(join(at, model), 'x'),
      1,
      /files\/a model\.gguf: FAILED/,
    ],
    ['a cut file', (at: string) => writeFileSync(join(at, model), ''), 1, /files\/a model\.gguf: FAILED/],
    [
      'a missing file',
      (at: string) => rmSync(join(at, 'release.json')),
      1,
      /release\.json: FAILED open or read/,
    ],
    ['a file more', (at: string) => writeFileSync(join(at, 'more'), ''), 1, /\.\/more: not in SHA256SUMS/],
    ['an interrupted collection', begin, 1, /not a complete bundle: it has no SHA256SUMS/],
    [
      'a list that is none',
      (at: string) => writeFileSync(join(at, 'SHA256SUMS'), 'x\n'),
      1,
      /no properly formatted/,
    ],
  ])('%s', (_, damage, status, stderr) => {
    expect(verify(bundleAfter(damage))).toEqual({ status, stderr: expect.stringMatching(stderr) })
  })

  it('all damaged files are named', () => {
    const folder = bundleAfter(at => {
      writeFileSync(join(at, model), '')
      writeFileSync(join(at, 'release.json'), '')
    })
    const { stderr } = verify(folder)
    for (const name of [model, 'release.json']) expect(stderr).toContain(`${name}: FAILED`)
  })
})

describe('make bundle BUNDLE=', () => {
  it('starts in a new folder, an empty one, and a bundle that is there', () => {
    const folder = join(work, 'started')
    begin(folder)
    begin(folder)
    const empty = mkdtempSync(join(work, 'empty-'))
    begin(empty)
    for (const each of [folder, empty]) expect(readdirSync(each)).toEqual(['release.json'])
  })

  it('does not touch a folder that holds anything else', () => {
    const folder = mkdtempSync(join(work, 'other-'))
    mkdirSync(join(folder, 'debian'))
    writeFileSync(join(folder, 'SHA256SUMS'), 'mine')
    expect(() => begin(folder)).toThrow(`${folder} is not empty, and not a bundle`)
    expect(readdirSync(folder).sort()).toEqual(['SHA256SUMS', 'debian'])
  })
})

describe('make image BUNDLE=', () => {
  it('takes release and framework from the bundle', () => {
    const { release, oneApps, bundle } = parseSettings({ BUNDLE: sound })
    expect(release).toEqual(productionRelease)
    expect(oneApps).toEqual({ url: join(sound, 'one-apps.git'), commit: framework.commit })
    expect(bundle?.folder).toBe(sound)
  })

  it.each(['MODEL', 'RELEASE', 'BASE_IMAGE', 'ONE_APPS_URL', 'ONE_APPS_COMMIT'])(
    'refuses %s beside it',
    name => {
      const values: Record<string, string> = { MODEL: 'gpt-oss-20b', ONE_APPS_COMMIT: framework.commit }
      const value = values[name] ?? join(sound, 'release.json')
      expect(() => parseSettings({ BUNDLE: sound, [name]: value })).toThrow(
        `BUNDLE and ${name}: set one of them`,
      )
    },
  )

  it.each([work, join(work, 'nowhere')])('refuses %s, which is no bundle', folder => {
    expect(() => parseSettings({ BUNDLE: folder })).toThrow(`BUNDLE=${folder}: `)
  })

  it.runIf(process.getuid?.() === 0)('reads a bundle that belongs to somebody else', async () => {
    const copy = bundleAfter(at => execFileSync('chown', ['-R', 'nobody', at]))
    const { url, commit } = openBundle(copy).oneApps
    expect(commit).toBe(framework.commit)
    const fetched = mkdtempSync(join(work, 'fetched-'))
    await collectOneApps(url, fetched)
    expect(commitOfBranch(join(fetched, 'one-apps.git'), 'pinned')).toBe(commit)
  })

  it('builds anew if the bundle has changed', () => {
    const changed = bundleAfter(at => {
      writeFileSync(join(at, model), 'other weights')
      writeSums(at)
    })
    expect(openBundle(bundleAfter(() => {})).key).toBe(openBundle(sound).key)
    expect(openBundle(changed).key).not.toBe(openBundle(sound).key)
  })
})
