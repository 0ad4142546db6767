/** `make pins`: what it says of recorded answers, and of fetched files. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { llamaCpp, packagedLlama, weights } from '../../lib/appliance/pins.ts'
import { filesIn, verifyFetched } from '../../packer/build/fetched-files.ts'
import * as newest from '../../packer/build/newest.ts'
import { comparePins, reportOf } from '../../packer/build/pins.ts'

const folder = mkdtempSync(join(tmpdir(), 'pins-'))
const checkouts = mkdtempSync(join(tmpdir(), 'pins-checkouts-'))
afterAll(() => {
  for (const path of [folder, checkouts]) rmSync(path, { recursive: true })
})

/** Sources that answer with the first value whose key ends the question; others are unreachable. */
const answering = (answers: Record<string, unknown>): newest.Registries => {
  const answer = async (question: string) => {
    const [, found] = Object.entries(answers).find(([key]) => question.endsWith(key)) ?? []
    if (found === undefined) throw new Error('could not resolve that.example')
    return found
  }
  return { get: answer, npm: args => answer(args.join(' ')) }
}
const ask = (question: Promise<newest.NewestVersion>) => newest.ask(question)

const { archive, tag } = llamaCpp
const asset = (digest: string | null) => ({
  assets: [{ name: archive.url.split('/').at(-1), digest }],
})

describe("a release's file", () => {
  const sources = (release: unknown) =>
    answering({ '/releases/latest': { tag_name: 'b20000' }, [`/tags/${tag}`]: release })
  it.each([
    ['the pinned digest', asset(`sha256:${archive.sha256}`), { newest: 'b20000' }],
    ['no digest', asset(null), { newest: 'b20000' }],
    [
      'another digest',
      asset('sha256:00'),
      { newest: 'b20000', wrong: `its digest in ${tag} is now sha256:00` },
    ],
    ['no such file', { assets: [] }, { newest: 'b20000', wrong: expect.stringContaining('no longer has') }],
  ])('%s', async (_, release, expected) => {
    expect(await ask(newest.releaseFile(sources(release), archive))).toEqual(expected)
  })
})

describe("a model's file", () => {
  const file = weights['qwen2.5-coder-3b']
  const [, pinned = '', name] = /resolve\/(\w+)\/(.+)/.exec(file.url) ?? []
  const repository = (sha: string, sha256: string) => ({
    sha,
    siblings: [{ rfilename: name, lfs: { sha256 } }],
  })
  const [main, revision] = ['/revision/main?blobs=true', `/revision/${pinned}?blobs=true`]
  it.each([
    ['unchanged', { [main]: repository(pinned, file.sha256) }, { newest: pinned }],
    [
      'a newer revision of other files',
      { [main]: repository('f00', file.sha256), [revision]: repository(pinned, file.sha256) },
      { newest: pinned },
    ],
    [
      'a newer revision of this file',
      { [main]: repository('f00', '00'), [revision]: repository(pinned, file.sha256) },
      { newest: 'f00' },
    ],
    [
      'another file in the pinned revision',
      { [main]: repository('f00', '00'), [revision]: repository(pinned, '11') },
      { newest: 'f00', wrong: expect.stringContaining('is now 11') },
    ],
    ['unreachable', {}, { newest: undefined, why: 'could not resolve that.example' }],
  ])('%s', async (_, answers, expected) => {
    expect(await ask(newest.modelFile(answering(answers), file))).toEqual(expected)
  })
})

const { source } = packagedLlama

it.each([
  ['the same', source.integrity, { newest: '9.9.9' }],
  ['another', 'sha512-x', { newest: '9.9.9', wrong: `${source.spec}'s digest is now sha512-x` }],
])("an npm package's digest: %s", async (_, integrity, expected) => {
  const sources = answering({ 'node-llama-cpp version': '9.9.9', 'dist.integrity': integrity })
  expect(await ask(newest.npmPackage(sources, source))).toEqual(expected)
})

it('the newest Node.js of a line is found by number', async () => {
  const sources = answering({ version: ['24.8.0', '24.21.0', '24.9.0'] })
  expect(await ask(newest.newestNode(sources, '24.9.0'))).toEqual({ newest: '24.21.0' })
})

it.each([
  [
    'something newer',
    { a: { wanted: '1.0.0', latest: '2.0.0' }, b: { wanted: '1.0.0', latest: '1.0.0' } },
    'a 2.0.0',
  ],
  ['nothing newer', {}, 'the same'],
])('npm packages, %s', async (_, outdated, expected) => {
  expect(await ask(newest.outdated(answering({ outdated }), folder))).toEqual({ newest: expected })
})

it('an action whose tag has moved is wrong', async () => {
  const sources = answering({ '/releases/latest': { tag_name: 'v2' }, '/commits/v1': { sha: 'b' } })
  const action = { repository: 'a/b', commit: 'a', version: 'v1' }
  expect(await ask(newest.gitHubAction(sources, action))).toEqual({ newest: 'v2', wrong: 'v1 is now b' })
})

describe('a fetched file', () => {
  const bytes = Buffer.from('weights')
  const digests = {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
  }
  mkdirSync(join(folder, 'deep'))
  writeFileSync(join(folder, 'deep', 'a.gguf'), bytes)

  it.each([
    [{ name: 'a.gguf', sha256: digests.sha256 }, /^verified: .*deep\/a\.gguf$/, false],
    [{ name: 'a.gguf', integrity: digests.integrity }, /^verified: /, false],
    [
      { name: 'a.gguf', sha256: '0'.repeat(64) },
      `WRONG: ${folder}/deep/a.gguf has SHA-256 ${digests.sha256}`,
      true,
    ],
    [{ name: 'a.gguf', integrity: 'sha512-x' }, /^WRONG: /, true],
    [{ name: 'deep', sha256: digests.sha256 }, /^WRONG: .* not a file/, true],
    [{ name: 'b.gguf', sha256: digests.sha256 }, 'not fetched', false],
  ])('%o: %s', async (expected, text, isWrong) => {
    const found = await verifyFetched(expected, filesIn([folder, '/no/such/folder']))
    expect(found).toEqual({ text: expect.stringMatching(text), isWrong })
  })
})

it.each(['one-apps', 'one-apps-0123456789ab', 'one-apps.git'])('%s is compared by its commit', async name => {
  const path = join(checkouts, name)
  const git = (...args: string[]) => execFileSync('git', ['-C', path, ...args], { encoding: 'utf8' }).trim()
  mkdirSync(path, { recursive: true })
  git('init', '--quiet', ...(name.endsWith('.git') ? ['--bare'] : []))
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.com']
  const empty = git('hash-object', '-t', 'tree', '/dev/null')
  const commit = git(...author, 'commit-tree', empty, '-m', 'test')
  git('update-ref', 'HEAD', commit)
  const verify = (expected: string) => verifyFetched({ name: 'one-apps', commit: expected }, [path])
  expect(await verify(commit)).toEqual({ text: `verified: ${path}`, isWrong: false })
  expect(await verify('0'.repeat(40))).toEqual({ text: `WRONG: ${path} has commit ${commit}`, isWrong: true })
})

it('without a network every pin says why what is newest is unknown, and none is wrong', async () => {
  const rows = await comparePins([folder], answering({}))
  expect(rows.filter(({ newest }) => newest !== 'unknown: could not resolve that.example')).toEqual([])
  expect(reportOf(rows)).toMatch(
    RegExp(`${rows.length} pins, 0 with something newer, ${rows.length} unknown, 0 wrong\\.$`),
  )
})

it('a damaged model is named as wrong', async () => {
  const name = weights['devstral-small-2'].url.split('/').at(-1) ?? ''
  writeFileSync(join(folder, name), 'damaged')
  const rows = await comparePins([folder], answering({}))
  expect(rows.filter(({ isWrong }) => isWrong).map(({ name: pin }) => pin)).toEqual(['devstral-small-2'])
})
