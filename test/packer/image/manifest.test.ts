import { expect, it } from 'vitest'
import { type Manifest, manifestSchema, oneAppsManifest } from '../../../packer/build/image/manifest.ts'

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
