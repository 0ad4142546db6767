import { expect, it } from 'vitest'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import { type CompanionModel, companionCatalogue } from '../../../../lib/appliance/models/companions.ts'
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
  expect(upgraded).toStrictEqual({ llamaCpp, model: devstral, further: [renamed, qwen], companions: [] })
})

it.each<[string, Partial<Release>, string[]]>([
  ["the image's own", { model: { ...devstral, contextLimit: 5000 } }, []],
  ['one on disk', { further: [{ ...gptOss, contextLimit: 5000 }, qwen] }, ['gpt-oss-20b']],
])('takes what is said about a model whose file is the same: %s', (_, changes, present) => {
  const offer = { ...offered, ...changes }
  const upgraded = upgradedRelease(installed, offer, present)
  expect([upgraded.model, ...upgraded.further]).toEqual([offer.model, ...offer.further])
})

it('takes a model that is new in the catalogue, even if its file is on disk', () => {
  const upgraded = upgradedRelease({ ...installed, further: [qwen] }, offered, ['gpt-oss-20b'])
  expect(upgraded.further).toEqual([gptOss, qwen])
})

const [{ isBaked: _, ...coder }, vectors] = [
  companionCatalogue['qwen2.5-coder-1.5b'],
  companionCatalogue['qwen3-embedding-0.6b'],
].map(model => ({ ...model })) as [CompanionModel, CompanionModel]
const baked: CompanionModel = { ...coder, isBaked: true }

it.each<[string, CompanionModel[], CompanionModel[], string[], CompanionModel[]]>([
  ['is the same', [coder], [coder], [coder.name], [coder]],
  [
    'is said to be something else',
    [coder],
    [{ ...coder, contextLimit: 7 }],
    [coder.name],
    [{ ...coder, contextLimit: 7 }],
  ],
  ['has another file and is on disk: stays', [coder], [other(coder)], [coder.name], [coder]],
  ['has another file and is not on disk', [coder], [other(coder)], [vectors.name], [other(coder)]],
  ['is new', [coder], [coder, vectors], [coder.name, vectors.name], [coder, vectors]],
  ['is in the image: still is', [baked], [coder], [], [baked]],
  ['is in the image with another file: stays', [baked], [other(coder)], [coder.name], [baked]],
  ['would be in the image of a new VM: is not in this one', [coder], [baked], [], [coder]],
  ['is new, and in the image of a new VM', [], [baked], [], [coder]],
  ['is offered no more', [coder, vectors], [vectors], [coder.name], [vectors]],
])('the model of a service beside chat %s', (_, before, offers, present, after) => {
  const upgraded = upgradedRelease(
    { ...installed, companions: before },
    { ...offered, companions: offers },
    present,
  )
  expect(upgraded.companions).toStrictEqual(after)
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
