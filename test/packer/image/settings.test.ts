import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bakedModels, productionRelease, releaseWith } from '../../../lib/appliance/models/release.ts'
import { oneApps } from '../../../lib/appliance/pins.ts'
import { parseSettings } from '../../../packer/build/image/settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'settings-'))
afterAll(() => rmSync(folder, { recursive: true }))
const fileWith = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const release = fileWith('release.json', JSON.stringify(releaseWith('qwen2.5-coder-3b')))
const disk = join(folder, 'disk.qcow2')
writeFileSync(disk, 'QFI\xfb', 'latin1')

const signKey = fileWith('sign.key', `untrusted comment: minisign\nRW${'a'.repeat(210)}\n`)

it('bakes the published release in a VM of 4 vCPUs, 16 GB and 50 GB unless told otherwise', () => {
  expect(parseSettings({})).toMatchObject({
    release: productionRelease,
    size: { cpus: 4, memory: 16_384, disk: '51200M' },
    sshTimeout: '30m',
    oneApps: { url: oneApps.repository, commit: oneApps.commit },
  })
})

it('takes each variable; an empty one is unset', () => {
  const given = { CPUS: '8', MEMORY: '32G', DISK: '8192M', SSH_TIMEOUT: '1h30m', RELEASE: release, MODEL: '' }
  expect(parseSettings({ ...given, SIGN_KEY: signKey, BASE_IMAGE: disk })).toMatchObject({
    release: { model: { name: 'qwen2.5-coder-3b' } },
    size: { cpus: 8, memory: 32_768, disk: '8192M' },
    sshTimeout: '1h30m',
    signKey,
    baseImage: disk,
  })
})

it('bakes another model of the catalogue in, and offers the former one for download', () => {
  const { model, further } = parseSettings({ MODEL: 'gpt-oss-20b' }).release
  expect(model.name).toBe('gpt-oss-20b')
  expect(further.map(({ name }) => name)).toEqual([
    'devstral-small-2',
    'qwen3-coder-30b-a3b',
    'qwen3.6-35b-a3b',
    'qwen2.5-coder-3b',
  ])
})

it('bakes in models for the services beside chat, named after that for chat', () => {
  const release = parseSettings({ MODEL: 'gpt-oss-20b qwen2.5-coder-1.5b, qwen3-reranker-0.6b' }).release
  expect(bakedModels(release).map(({ name }) => name)).toEqual([
    'gpt-oss-20b',
    'qwen2.5-coder-1.5b',
    'qwen3-reranker-0.6b',
  ])
})

const ownModel = { MODEL_URL: 'https://a.example/m.gguf', MODEL_SHA256: 'a'.repeat(64) }

describe('refuses', () => {
  it.each([
    ['MODEL', 'gpt-oss-20b qwen2.5-coder-9b', 'takes after the chat model any of: qwen2.5-coder-1.5b,'],
    ['MODEL', 'gpt-5', 'takes one of: devstral-small-2,'],
    ['MODEL', 'toString', 'takes one of'],
    ['CPUS', '0', 'a number of vCPUs'],
    ['CPUS', '4.5', 'a number of vCPUs'],
    ['MEMORY', '16', 'such as 16G'],
    ['MEMORY', '16 GB', 'such as 16G'],
    ['DISK', '-1G', 'such as 16G'],
    ['SSH_TIMEOUT', '30', 'such as 30m'],
    ['SSH_TIMEOUT', 'forever', 'such as 30m'],
    ['MODEL_URL', 'file:///m.gguf', 'an http or https URL'],
    ['MODEL_URL', 'https://a.example/m', 'does not end in .gguf'],
    ['MODEL_SHA256', 'abc', 'the 64 hexadecimal digits'],
    ['RELEASE', '/nowhere/release.json', 'no such file'],
    ['RELEASE', fileWith('text', 'not JSON'), 'not a release file'],
    ['RELEASE', fileWith('empty.json', '{}'), 'not a release file'],
    ['BASE_IMAGE', '/nowhere/disk.qcow2', 'no such file'],
    ['BASE_IMAGE', release, 'not a qcow2 disk'],
    ['BASE_IMAGE', folder, 'not a qcow2 disk'],
    ['COMPRESSION', 'xz', 'zlib or zstd'],
    ['SIGN_KEY', '/nowhere/key', 'no such file'],
    ['SIGN_KEY', release, 'holds no secret key, as minisign -G writes it'],
    ['SIGN_KEY', fileWith('sign.pub', `untrusted comment: x\nRW${'a'.repeat(54)}\n`), 'holds no secret key'],
    ['ONE_APPS_DIR', folder, 'not a checkout of OpenNebula/one-apps'],
    ['ONE_APPS_COMMIT', oneApps.commit.slice(0, 7), 'whole commit ID'],
  ])('%s=%s', (name, value, rule) => {
    expect(() => parseSettings({ [name]: value })).toThrow(`${name}=${value}: `)
    expect(() => parseSettings({ [name]: value })).toThrow(rule)
  })

  it.each([
    ['credentials', 'https://me:sesame-open-1@a.example/m.gguf'],
    ['a token in its query', 'https://a.example/m.gguf?token=sesame-open-1'],
  ])('a URL with %s, which are not repeated', (_, url) => {
    expect(() => parseSettings({ ...ownModel, MODEL_URL: url })).toThrow(
      /^(?![\s\S]*sesame)[\s\S]*credentials, a query/,
    )
  })

  it('all wrong variables at once', () => {
    expect(() => parseSettings({ CPUS: 'x', DISK: 'y', MEMORY: 'z' })).toThrow(
      /CPUS=x.*\n.*MEMORY=z.*\n.*DISK=y/,
    )
  })

  it('a model besides a release, which names its own', () => {
    expect(() => parseSettings({ MODEL: 'gpt-oss-20b', RELEASE: release })).toThrow('set one of them')
  })

  it.each([
    [{ MODEL_URL: 'https://a.example/m.gguf' }, 'set both of them'],
    [{ MODEL_SHA256: 'a'.repeat(64) }, 'set both of them'],
    [{ ...ownModel, MODEL: 'gpt-oss-20b' }, 'MODEL_URL and MODEL: set one of them'],
    [{ ...ownModel, RELEASE: release }, 'MODEL_URL and RELEASE: set one of them'],
  ])('%o', (given, problem) => {
    expect(() => parseSettings(given)).toThrow(problem)
  })
})

it('takes a model by URL and digest', () => {
  const { ownModel: found } = parseSettings(ownModel)
  expect(found).toEqual({ url: ownModel.MODEL_URL, sha256: ownModel.MODEL_SHA256 })
})
