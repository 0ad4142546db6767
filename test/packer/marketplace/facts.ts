/** An image as `make image` describes it, and the values that are known after an upload. */
import { oneApps } from '../../../lib/appliance/pins.ts'
import type { Manifest } from '../../../packer/build/image/manifest.ts'
import { factsOf } from '../../../packer/build/marketplace/facts.ts'
import { parseUploads } from '../../../packer/build/marketplace/placeholders.ts'

export const manifest: Manifest = {
  name: 'SLM-Copilot',
  version: '1.2.3',
  image: 'slm-copilot.qcow2',
  format: 'qcow2',
  compression: 'zlib',
  size: 53_687_091_200,
  fileSize: 15_000_000_000,
  sha256: '5'.repeat(64),
  md5: '6'.repeat(32),
  creationTime: Date.UTC(2027, 1, 28, 23, 59) / 1000,
  os: { id: 'Debian GNU/Linux', release: '13', arch: 'x86_64' },
  commits: { slmCopilot: null, oneApps: oneApps.commit },
  llamaCpp: { tag: 'b1', sha256: '4'.repeat(64) },
  model: { name: 'devstral-small-2', size: 14_334_446_752, sha256: '3'.repeat(64), licence: 'Apache-2.0' },
  inputs: '',
}

export const executableDigest = '7'.repeat(64)

export const uploads = parseUploads({
  IMAGE_URL: 'https://images.acme.test/slm-copilot.qcow2',
  EXECUTABLE_URL: 'https://images.acme.test/slm-copilot',
  PROJECT_URL: 'https://images.acme.test/project',
  PUBLISHER_EMAIL: 'maintainers@acme.test',
  ISSUE: '123',
})

export const facts = factsOf(manifest, executableDigest, uploads)
export const draftFacts = factsOf(undefined, undefined, {})
