/** A release of a small repository: what is read from Git, what the tests record, what is written for upload. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { productionRelease } from '../../../../lib/appliance/models/release.ts'
import { commitOf } from '../../../../packer/build/git.ts'
import { sourcesIn, writeAssets } from '../../../../packer/build/release/assets.ts'
import { problemsOf } from '../../../../packer/build/release/check.ts'
import { readReleaseFacts } from '../../../../packer/build/release/facts.ts'
import { beginTests, isTested, recordTests } from '../../../../packer/build/release/tested.ts'

let folder: string
const at = (name: string) => join(folder, name)
const write = (name: string, text: string) => writeFileSync(at(name), text)
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', '-C', folder, ...args])
const commit = () => {
  git('add', '-A')
  git('commit', '-q', '--allow-empty', '-m', 'x')
}
const head = () => commitOf(folder) ?? ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slm-copilot-release-'))
  git('init', '-q')
  for (const name of ['package.json', 'package-lock.json']) write(name, '{"version": "1.2.3"}')
  write('CHANGELOG.md', '# Changelog\n\n## 1.2.3 (2026-11-26)\n\n- New.\n')
  write('.gitignore', 'dist\n')
  mkdirSync(at('dist'))
  commit()
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('facts', () => {
  it.each([
    ['annotated', ['-a', '-m', 'x']],
    ['lightweight', []],
  ])('sees an %s tag on HEAD', (_, options) => {
    git('tag', ...options, 'v1.2.3')
    expect(problemsOf(readReleaseFacts(folder, productionRelease))).toEqual([])
  })

  it('sees no tag, a tag elsewhere, changed and unknown files', () => {
    expect(readReleaseFacts(folder, productionRelease)).toMatchObject({
      taggedCommit: undefined,
      changedFiles: [],
      image: undefined,
    })
    git('tag', 'v1.2.3')
    const tagged = head()
    commit()
    write('CHANGELOG.md', 'changed')
    write('new', '')
    expect(readReleaseFacts(folder, productionRelease)).toMatchObject({
      taggedCommit: tagged,
      changedFiles: ['M CHANGELOG.md', '?? new'],
    })
  })
})

describe('the record of the tests', () => {
  it.each<[string, () => void, () => void, boolean]>([
    ['for a clean tree', () => {}, () => {}, true],
    ['not for files changed before', () => write('new', ''), () => {}, false],
    ['not for files changed meanwhile', () => {}, () => write('new', ''), false],
    ['not for a commit made meanwhile', () => {}, commit, false],
  ])('is made %s', (_, before, meanwhile, isMade) => {
    before()
    beginTests(folder)
    expect(isTested(folder, head())).toBe(false)
    meanwhile()
    recordTests(folder)
    expect(isTested(folder, head())).toBe(isMade)
  })

  it('is not made for a run that did not end, nor by the next commit', () => {
    beginTests(folder)
    recordTests(folder)
    commit()
    expect(isTested(folder, head())).toBe(false)
  })
})

describe('what is uploaded', () => {
  const executable = () => {
    write('dist/slm-copilot', 'executable')
    return at('dist/slm-copilot')
  }
  const assets = (seconds = 0) =>
    writeAssets(at('dist/release/v1.2.3'), sourcesIn(at('dist'), [executable()]), '- New.', seconds)

  it('without image and marketplace files is the executable, and says what is missing', async () => {
    expect((await assets()).map(({ name }) => name)).toEqual(['NOTES.md', 'slm-copilot'])
    expect(sourcesIn(at('dist'), [executable()]).absent).toEqual([
      'the image: make image',
      'the marketplace files: make marketplace',
    ])
  })

  it('is everything that has been built, with checksums that match', async () => {
    mkdirSync(at('dist/image'))
    for (const name of [
      'manifest.json',
      'slm-copilot.qcow2',
      'SHA256SUMS',
      'MD5SUMS',
      'manifest.json.minisig',
    ])
      write(`dist/image/${name}`, name)
    mkdirSync(at('dist/marketplace'))
    write('dist/marketplace/metadata.yaml', 'x')
    await assets()
    const written = at('dist/release/v1.2.3')
    expect(readdirSync(written).sort()).toEqual(
      [
        'NOTES.md',
        'SHA256SUMS',
        'manifest.json',
        'manifest.json.minisig',
        'marketplace.tar.gz',
        'slm-copilot',
        'slm-copilot.qcow2',
      ].sort(),
    )
    execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: written, stdio: 'ignore' })
    expect(readFileSync(join(written, 'NOTES.md'), 'utf8')).toBe('- New.\n')
  })

  it('is the same when it is written again, without what is gone', async () => {
    mkdirSync(at('dist/marketplace'))
    write('dist/marketplace/metadata.yaml', 'x')
    const first = await assets(1_700_000_000)
    expect(await assets(1_700_000_000)).toEqual(first)
    rmSync(at('dist/marketplace'), { recursive: true })
    expect((await assets()).map(({ name }) => name)).toEqual(['NOTES.md', 'slm-copilot'])
  })
})
