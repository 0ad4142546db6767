import { expect, it } from 'vitest'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import { productionRelease, type Release } from '../../../../lib/appliance/models/release.ts'
import { upgradedRelease } from '../../../../lib/appliance/upgrade/release.ts'

const { 'devstral-small-2': devstral, 'gpt-oss-20b': gptOss, 'qwen2.5-coder-3b': qwen } = catalogue
const other = <T extends { sha256: string }>(model: T) => ({ ...model, sha256: 'e'.repeat(64) })
const llamaCpp = { ...productionRelease.llamaCpp, tag: 'b12000' }
const installed: Release = { ...productionRelease, model: devstral, further: [gptOss, qwen], companions: [] }
const offered: Release = { llamaCpp, model: devstral, further: [gptOss, qwen], companions: [] }

const digestsIn = ({ model, further }: Release) =>
  Object.fromEntries([model, ...further].map(({ name, sha256 }) => [name, sha256]))

it('takes llama.cpp and what is said about models from the offered release', () => {
  const renamed = { ...gptOss, contextLimit: 5000 }
  const upgraded = upgradedRelease(installed, { ...offered, further: [renamed, qwen] }, [])
  expect(upgraded).toEqual({ llamaCpp, model: devstral, further: [renamed, qwen], companions: [] })
})

it.each([
  [
    "the image's own, with another file in the catalogue",
    installed,
    { ...offered, model: other(devstral) },
    [],
  ],
  [
    'one on disk, with another file in the catalogue',
    installed,
    { ...offered, further: [other(gptOss), qwen] },
    ['gpt-oss-20b'],
  ],
  ['one that the catalogue has no more', installed, { ...offered, further: [qwen] }, []],
] as [string, Release, Release, string[]][])('keeps a model: %s', (_, before, offer, present) => {
  expect(digestsIn(upgradedRelease(before, offer, present))).toEqual(digestsIn(installed))
})

it('takes a new file for a model that is not here', () => {
  const offer = { ...offered, further: [other(gptOss), qwen] }
  expect(digestsIn(upgradedRelease(installed, offer, []))['gpt-oss-20b']).toBe('e'.repeat(64))
})

it("keeps a baked-in model that is not the catalogue's, and offers that one too", () => {
  const own = { ...qwen, name: 'sentence' }
  const upgraded = upgradedRelease({ ...installed, model: own, further: [] }, offered, [])
  expect(upgraded.model).toEqual(own)
  expect(upgraded.further).toEqual([devstral, gptOss, qwen])
})

it.each([
  ['old', undefined, 'old'],
  ['old', 'new', 'new'],
  [undefined, 'new', 'new'],
  [undefined, undefined, undefined],
])('the key %s, offered %s: %s', (before, offer, after) => {
  const signedBy = (key: string | undefined) => (key === undefined ? {} : { signedBy: key })
  const upgraded = upgradedRelease(
    { ...installed, ...signedBy(before) },
    { ...offered, ...signedBy(offer) },
    [],
  )
  expect(upgraded.signedBy).toBe(after)
})
