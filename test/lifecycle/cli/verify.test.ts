/** `slm-copilot verify` on an installed release, with one damage in each row. */
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { sbomText } from '../../../lib/appliance/inventory/sbom.ts'
import { productionRelease } from '../../../lib/appliance/models/release.ts'
import { modelPath, paths } from '../../../lib/appliance/paths.ts'
import { releaseFile } from '../../../lib/steps/models/release.ts'
import type { Host } from '../../../lib/system/host.ts'
import { applyFiles } from '../../../lib/system/managed-files.ts'
import { verify } from '../../../lifecycle/cli/verify.ts'
import packageFile from '../../../package.json' with { type: 'json' }
import { tinyModel } from '../../support/capacity.ts'
import { recordedHost } from '../../support/recorded-host.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const model = { ...tinyModel, sha256: sha256('weights') }
const other = { ...tinyModel, name: 'other', sha256: sha256('other weights') }
const release = { ...productionRelease, model, further: [other] }
const folder = `${paths.releases}/${release.llamaCpp.tag}`
const server = `${folder}/llama-server`

async function installed(harm: (host: Host) => unknown = () => {}) {
  const host = recordedHost()
  await applyFiles(host, [
    releaseFile(release),
    { path: modelPath(model.name), mode: 0o644, text: 'weights' },
    { path: server, mode: 0o755, text: 'server' },
    { path: `${folder}/lib/libggml.so`, mode: 0o755, text: 'library' },
    {
      path: `${folder}/SHA256SUMS`,
      mode: 0o644,
      text: `${sha256('library')}  lib/libggml.so\n${sha256('server')}  llama-server\n`,
    },
    { path: paths.executable, mode: 0o755, text: 'executable' },
    {
      path: paths.sbom,
      mode: 0o644,
      text: sbomText({ version: packageFile.version, digest: sha256('executable'), serial: 'x' }, []),
    },
  ])
  harm(host)
  let text = ''
  const isIntact = await verify(host, part => {
    text += part
  })
  return { text, isIntact }
}

it('finds an intact image intact, and names each file', async () => {
  const { text, isIntact } = await installed()
  expect(text).toMatch(/\n4 files checked, 0 damaged\.\n$/)
  for (const path of [modelPath(model.name), server, paths.executable])
    expect(text).toContain(`ok       ${path}\n`)
  expect(isIntact).toBe(true)
})

const change = (path: string) => (host: Host) => host.files.replace(path, 'WEIGHTS', 0o644)
const remove = (path: string) => (host: Host) => host.files.remove(path)

it.each<[string, (host: Host) => unknown, RegExp]>([
  [
    'a changed model',
    change(modelPath(model.name)),
    /damaged +.*tiny\.gguf: its SHA-256 is .*fix +slm-copilot install/s,
  ],
  [
    'an empty model',
    host => host.files.replace(modelPath(model.name), '', 0o644),
    /tiny\.gguf: its SHA-256 is/,
  ],
  ['a missing model', remove(modelPath(model.name)), /tiny\.gguf: it is missing\./],
  [
    'a damaged download',
    change(modelPath(other.name)),
    /other\.gguf: its SHA-256 is .*fix +rm .*other\.gguf/s,
  ],
  ['a changed llama-server', change(server), /damaged +.*llama-server: its SHA-256 is .*fix +rm -r/s],
  ['a missing library', remove(`${folder}/lib/libggml.so`), /libggml\.so: it is missing/],
  [
    'a changed executable',
    change(paths.executable),
    /slm-copilot: its SHA-256 is .*fix +copy it from a release/s,
  ],
])('%s', async (_, harm, says) => {
  const { text, isIntact } = await installed(harm)
  expect(text.replace(/\s+/g, ' ')).toMatch(says)
  expect(text).toMatch(/, 1 damaged\./)
  expect(isIntact).toBe(false)
})

it.each<[string, (host: Host) => unknown, RegExp]>([
  [
    'there is no list of llama.cpp’s files',
    remove(`${folder}/SHA256SUMS`),
    /skipped +.*SHA256SUMS is missing/,
  ],
  ['there is no bill of materials', remove(paths.sbom), /skipped +.*sbom\.cdx\.json is missing/],
  [
    'the bill is of another version',
    host =>
      host.files.replace(paths.sbom, sbomText({ version: '0.0.1', digest: 'x', serial: 'x' }, []), 0o644),
    /skipped +.*is of version 0\.0\.1/,
  ],
])('says what it cannot check: %s', async (_, harm, says) => {
  const { text, isIntact } = await installed(harm)
  expect(text.replace(/\s+/g, ' ')).toMatch(says)
  expect(isIntact).toBe(true)
})
