/** `make release` from end to end, in a repository of its own: each refusal, and what is uploaded in the end. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { releaseSchema } from '../../lib/appliance/models/release.ts'
import packageFile from '../../package.json' with { type: 'json' }
import { type Mirror, releaseValue, startMirror } from '../mirror/mirror.ts'
import { copyCheckout } from '../support/copy.ts'

const { version } = packageFile
const tag = `v${version}`
const work = mkdtempSync(join(tmpdir(), 'release-'))
const clone = join(work, 'clone')
const dist = join(clone, 'dist')
const uploads = join(dist, 'release', tag)
const at = (name: string) => join(work, name)
const read = (path: string) => readFileSync(path, 'utf8')
let mirror: Mirror

const git = (...args: string[]) =>
  execFileSync('git', ['-C', clone, '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
    encoding: 'utf8',
  }).trim()
const commit = () => git('commit', '--quiet', '--all', '--message=x')
const changelog = join(clone, 'CHANGELOG.md')

/** In place of the suite, for `make test`: notes that it was called, changes a file, passes or fails. */
const suite = `#!/bin/bash
set -eu
[ "$*" = test ]
echo called >> '${at('suite')}'
node packer/build/release/tested.ts begin
if [ "$SUITE" = changing ]; then echo >> README.md; fi
if [ "$SUITE" = red ]; then exit 2; fi
node packer/build/release/tested.ts record
`
const suiteRuns = () => (existsSync(at('suite')) ? read(at('suite')).split('\n').length - 1 : 0)

function release(environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['packer/build/release.ts'], {
    cwd: clone,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${at('bin')}:${process.env.PATH}`,
      SLM_COPILOT_CACHE: at('cache'),
      RELEASE: at('release.json'),
      SUITE: 'green',
      ...environment,
    },
  })
  return { status, stdout, stderr }
}

beforeAll(async () => {
  copyCheckout(clone)
  writeFileSync(changelog, read(changelog).replace(/^## .*$/m, `## ${version} (2026-11-26)`))
  git('init', '--quiet')
  git('add', '.')
  commit()
  mirror = await startMirror()
  writeFileSync(at('release.json'), JSON.stringify(await releaseValue(mirror.url)))
  mkdirSync(at('bin'))
  writeFileSync(at('bin/make'), suite, { mode: 0o755 })
  for (const name of ['publisher', 'stranger'])
    execFileSync('minisign', ['-G', '-W', '-p', at(`${name}.pub`), '-s', at(`${name}.key`)], {
      stdio: 'ignore',
    })
})
afterAll(async () => {
  await mirror?.close()
  rmSync(work, { recursive: true, force: true })
})

describe('is refused', () => {
  afterEach(() => {
    git('reset', '--quiet', '--hard', git('rev-list', '--max-parents=0', 'HEAD'))
    git('clean', '--quiet', '--force', '-d')
    if (git('tag')) git('tag', '--delete', tag)
    rmSync(join(dist, 'image'), { recursive: true, force: true })
  })

  const image = {
    ...{ name: 'SLM-Copilot', version, image: 'slm-copilot.qcow2', format: 'qcow2', compression: 'zlib' },
    ...{ size: 1, fileSize: 1, sha256: 'a'.repeat(64), md5: 'b'.repeat(32), creationTime: 1 },
    ...{
      os: { id: 'Debian', release: '13', arch: 'x86_64' },
      model: { name: 'x', size: 1, sha256: 'a'.repeat(64) },
    },
    ...{ commits: { slmCopilot: 'c'.repeat(40), oneApps: null }, inputs: 'x' },
    llamaCpp: { tag: 'x', sha256: 'd'.repeat(64) },
  }

  it.each<[string, () => void, string[]]>([
    ['without a tag', () => {}, [`has no tag ${tag}. Fix: git tag -a ${tag}`]],
    [
      'with the tag on another commit',
      () => {
        git('tag', tag)
        writeFileSync(changelog, `${read(changelog)}\n`)
        commit()
      },
      [`The tag ${tag} is on`],
    ],
    [
      'with changed and unknown files',
      () => {
        git('tag', tag)
        writeFileSync(join(clone, 'README.md'), 'changed')
        writeFileSync(join(clone, 'new'), '')
      },
      ['The tree is not clean: M README.md, ?? new. Fix: commit or remove these.'],
    ],
    [
      'with a version that the changelog does not have, and everything else that is missing at once',
      () => {
        writeFileSync(
          changelog,
          read(changelog).replace(`## ${version} (2026-11-26)`, '## 9.9.9 (unreleased)'),
        )
        commit()
      },
      ['newest section is for 9.9.9', '"unreleased" for its date', `has no tag ${tag}`],
    ],
    [
      'with an image of another commit and another llama.cpp',
      () => {
        git('tag', tag)
        mkdirSync(join(dist, 'image'), { recursive: true })
        writeFileSync(join(dist, 'image', 'manifest.json'), JSON.stringify(image))
      },
      ['dist/image was baked from cccc', 'dist/image has llama.cpp dddddddddddd'],
    ],
  ])('%s', (_, prepare, problems) => {
    prepare()
    const { status, stderr } = release()
    expect(status).toBe(1)
    expect(stderr).toContain(`make release: version ${version} is not ready`)
    expect(stderr.match(/^ {2}\S.*Fix: \S/gm)).toHaveLength(problems.length)
    for (const problem of problems) expect(stderr).toContain(problem)
    expect([existsSync(uploads), suiteRuns()]).toEqual([false, 0])
  })

  it('with variables that are wrong', () => {
    git('tag', tag)
    const { status, stderr } = release({ SIGN_KEY: at('none'), PUBLIC_KEY: at('publisher.key') })
    expect(status).toBe(1)
    expect(stderr).toMatch(/SIGN_KEY=.*no such file.*PUBLIC_KEY=.*no public key/s)
  })

  it.each([
    ['red', 'the tests have not passed: make test ended with 2'],
    ['changing', 'files have changed during the tests'],
  ])('with a suite that is %s', (SUITE, problem) => {
    git('tag', tag)
    const { status, stderr } = release({ SUITE })
    expect([status, stderr]).toEqual([1, expect.stringContaining(problem)])
    expect(existsSync(uploads)).toBe(false)
    rmSync(at('suite'))
  })
})

describe('writes what to upload', () => {
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: uploads, encoding: 'utf8' })
  const archive = `slm-copilot-${version}.tar.gz`
  const signed = () => ({ SIGN_KEY: at('publisher.key'), PUBLIC_KEY: at('publisher.pub') })
  let stdout: string
  let sums: string

  beforeAll(() => {
    git('tag', '--annotate', '--message=x', tag)
    const released = release(signed())
    expect(released).toMatchObject({ status: 0, stderr: '' })
    stdout = released.stdout
    sums = read(join(uploads, 'SHA256SUMS'))
  })

  it('says what it is, and what is left to do', () => {
    expect(stdout).toContain(`${tag} is ready.`)
    expect(stdout).toContain('Not included: the image: make image')
    expect(stdout).toContain(`Publish the tag: git push origin ${tag}`)
    const files = ['NOTES.md', 'SHA256SUMS', 'SHA256SUMS.minisig', 'slm-copilot', archive]
    expect(readdirSync(uploads).sort()).toEqual(files.sort())
    for (const file of files) expect(stdout).toMatch(new RegExp(`^ +[\\d.]+ .B  ${file}$`, 'm'))
  })

  it('with the section of the changelog, and an executable of this version', () => {
    expect(read(join(uploads, 'NOTES.md'))).toMatch(/^- \S/m)
    expect(run(join(uploads, 'slm-copilot'), '--version').trim()).toBe(version)
  })

  it('with checksums and signatures that can be verified', () => {
    expect(run('minisign', '-Vm', 'SHA256SUMS', '-p', at('publisher.pub'))).toContain('verified')
    expect(() => run('minisign', '-Vm', 'SHA256SUMS', '-p', at('stranger.pub'))).toThrow()
    run('sha256sum', '--check', '--strict', 'SHA256SUMS')
  })

  it('with an archive for upgrades: the executable, llama.cpp, and the key for the next release', () => {
    run('tar', '-xf', archive, '-C', work)
    const content = at(`slm-copilot-${version}`)
    const release = releaseSchema.parse(JSON.parse(read(join(content, 'release.json'))))
    const key = read(at('publisher.pub')).split('\n')[1]
    expect([release.signedBy, release.model.name]).toEqual([key, 'sentence'])
    execFileSync('cmp', [join(content, 'slm-copilot'), join(uploads, 'slm-copilot')])
  })

  it('run again, without running the suite again, and with the same files', () => {
    expect(release(signed())).toMatchObject({ status: 0 })
    expect(suiteRuns()).toBe(1)
    // A signature has a random part.
    const unsigned = (text: string) => text.replace(/^.*\.tar\.gz$/m, '')
    expect(unsigned(read(join(uploads, 'SHA256SUMS')))).toBe(unsigned(sums))
  })
})
