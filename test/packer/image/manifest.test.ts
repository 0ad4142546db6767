import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type Manifest,
  manifestSchema,
  manifestText,
  oneAppsManifest,
  readManifest,
} from '../../../packer/build/image/manifest.ts'

const manifest: Manifest = {
  name: 'SLM-Copilot',
  version: '0.1.0',
  image: 'slm-copilot.qcow2',
  format: 'qcow2',
  compression: 'zlib',
  size: 53_687_091_200,
  fileSize: 15_000_000_000,
  sha256: 'a'.repeat(64),
  md5: 'b'.repeat(32),
  creationTime: Date.parse('2026-11-26T23:59:59Z') / 1000,
  os: { id: 'Debian GNU/Linux', release: '13', arch: 'x86_64' },
  commits: { slmCopilot: 'c'.repeat(40), oneApps: null },
  llamaCpp: { tag: 'b1', sha256: 'd'.repeat(64) },
  model: { name: 'devstral-small-2', size: 14_334_446_752, sha256: 'e'.repeat(64), licence: 'Apache-2.0' },
  inputs: '0123456789ab',
}

it('is written as one-apps writes it', () => {
  expect(oneAppsManifest(manifest)).toBe(`name: SLM-Copilot
version: 0.1.0-0-20261126
image: slm-copilot.qcow2
format: qcow2
size: 53687091200
file_size: 15000000000
sha256: ${'a'.repeat(64)}
md5: ${'b'.repeat(32)}
creation_time: 1795737599
os-id: Debian GNU/Linux
os-release: '13'
os-arch: x86_64
`)
})

it.each([
  ['an unfinished digest', { sha256: 'abc' }],
  ['an unknown field', { colour: 'blue' }],
  ['a commit that is a branch', { commits: { slmCopilot: 'main', oneApps: null } }],
])('does not accept %s', (_, change) => {
  expect(manifestSchema.safeParse(manifest).success).toBe(true)
  expect(manifestSchema.safeParse({ ...manifest, ...change }).success).toBe(false)
})

describe('reading it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'manifest-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'manifest.json')
  const read = (text: string) => {
    writeFileSync(path, text)
    return readManifest(path)
  }

  it('gives what was written, or nothing where there is none', () => {
    expect(read(manifestText(manifest))).toEqual(manifest)
    expect(readManifest(join(folder, 'absent'))).toBeUndefined()
  })

  it.each([
    ['an empty file', '', 'Unexpected end of JSON input'],
    ['half of it', manifestText(manifest).slice(0, 300), 'JSON'],
    ['one of another version', JSON.stringify({ ...manifest, inputs: undefined }), '→ at inputs'],
  ])('says what is wrong with %s, and what to do', (_, text, problem) => {
    expect(() => read(text)).toThrow(`${path} is not a manifest of this version. Fix: make image`)
    expect(() => read(text)).toThrow(problem)
  })
})
