import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { productionRelease, type Release } from '../../../../lib/appliance/models/release.ts'
import { modelPath, paths } from '../../../../lib/appliance/paths.ts'
import { stateFiles } from '../../../../lib/appliance/state-files.ts'
import { linkModels } from '../../../../lib/steps/models/disk-models.ts'
import { isProven, recordProof } from '../../../../lib/system/verified-files.ts'
import { tinyModel } from '../../../support/capacity.ts'
import { recordedHost } from '../../../support/recorded-host.ts'

const model = { ...tinyModel, name: 'on-disk', size: 5, sha256: 'a'.repeat(64) }
const release: Release = { ...productionRelease, model: tinyModel, further: [model] }
const proofs = stateFiles.fileProofs

/** A machine with these files on its disk. */
function hostWith(files: Record<string, string>) {
  const host = recordedHost()
  for (const [name, text] of Object.entries(files))
    host.files.replace(`${paths.modelsDisk}/${name}`, text, 0o644)
  return host
}
const onDisk = (name: string) => `${paths.modelsDisk}/${name}`
const linked = (host: ReturnType<typeof hostWith>) => host.files.target(modelPath(model.name))

it.each([
  ['at its root', 'Some-Name.gguf'],
  ['in a folder', 'models/on-disk.gguf'],
])('links the file of its size: %s', (_, name) => {
  const host = hostWith({ [name]: '12345', 'other.gguf': '123', '0.txt': '12345' })
  expect(linkModels(host, release)).toEqual([])
  expect(linked(host)).toBe(onDisk(name))
  expect(isProven(host, { path: modelPath(model.name), sha256: model.sha256, proofs })).toBe(false)
})

it('takes the file that is known to be it, and never one that is known not to be', () => {
  const host = hostWith({ 'a.gguf': '12345', 'b.gguf': '54321' })
  recordProof(host, { path: onDisk('a.gguf'), sha256: 'b'.repeat(64), proofs }, onDisk('a.gguf'))
  linkModels(host, release)
  expect(linked(host)).toBe(onDisk('b.gguf'))
  recordProof(host, { path: onDisk('b.gguf'), sha256: model.sha256, proofs }, onDisk('b.gguf'))
  linkModels(host, release)
  expect(isProven(host, { path: modelPath(model.name), sha256: model.sha256, proofs })).toBe(true)
})

it('leaves a downloaded file alone', () => {
  const host = hostWith({ 'a.gguf': '12345' })
  host.files.replace(modelPath(model.name), '12345', 0o644)
  linkModels(host, release)
  expect(linked(host)).toBeUndefined()
})

it('says that the disk is gone, and goes on with it once it is back', () => {
  const host = hostWith({ 'a.gguf': '12345' })
  linkModels(host, release)
  recordProof(host, { path: onDisk('a.gguf'), sha256: model.sha256, proofs }, onDisk('a.gguf'))
  host.files.rename(paths.modelsDisk, '/elsewhere')
  expect(linkModels(host, release)).toEqual([
    expect.stringMatching(/^on-disk was served from .*a\.gguf, which is not there/),
  ])
  expect(isProven(host, { path: modelPath(model.name), sha256: model.sha256, proofs })).toBe(false)
  host.files.rename('/elsewhere', paths.modelsDisk)
  expect(linkModels(host, release)).toEqual([])
  expect(isProven(host, { path: modelPath(model.name), sha256: model.sha256, proofs })).toBe(true)
})

it('says if llama-server may not read it', () => {
  const host = hostWith({ 'a.gguf': '12345' })
  chmodSync(join(host.root, onDisk('a.gguf')), 0o600)
  expect(linkModels(host, release)).toEqual([
    expect.stringMatching(/cannot be read by llama-server\. Fix: chmod o\+r/),
  ])
  expect(linked(host)).toBeUndefined()
})
