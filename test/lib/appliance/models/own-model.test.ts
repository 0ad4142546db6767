import { expect, it } from 'vitest'
import type { Model } from '../../../../lib/appliance/models/catalogue.ts'
import {
  describedModel,
  ignoredModelNotes,
  knownByDigest,
  nameFor,
  nameFromUrl,
  ownModelIn,
  reusesPrompts,
  templateNotes,
  withOwnModels,
} from '../../../../lib/appliance/models/own-model.ts'
import { modelsOf, productionRelease } from '../../../../lib/appliance/models/release.ts'
import type { CacheSharing } from '../../../../lib/appliance/nginx/cache-sharing.ts'
import { tinyModel } from '../../../support/capacity.ts'

it.each([
  ['https://a.example/x/Devstral-Small-2_IQ4_NL.gguf', 'devstral-small-2-iq4-nl'],
  ['https://a.example/Qwen3.6-35B-A3B-UD-Q4_K_M.GGUF', 'qwen3.6-35b-a3b-ud-q4-k-m'],
  ['file:///mnt/m.gguf', 'm'],
  ['https://a.example/m.gguf.gguf', 'm.gguf'],
  ['https://a.example/m.gguf-00001.bin', 'm.gguf-00001.bin'],
  ['https://a.example/', 'model'],
  ['https://a.example/%20my%20model.gguf', '20my-20model'],
  ['https://a.example/..gguf', 'model'],
  ['https://a.example/.gguf', 'model'],
  ['https://a.example/модель.gguf', 'model'],
  [`https://a.example/${'m'.repeat(300)}.gguf`, 'm'.repeat(80)],
])('%s is named %s', (url, name) => {
  expect(nameFromUrl(url)).toBe(name)
})

it.each([
  [undefined, undefined, undefined],
  ['https://a.example/m.gguf', undefined, undefined],
  [undefined, 'ab', undefined],
  ['https://a.example/m.gguf', 'ab', { url: 'https://a.example/m.gguf', sha256: 'ab' }],
])('is requested by both a URL and a digest: %s, %s', (modelUrl, modelSha256, expected) => {
  expect(ownModelIn({ modelUrl, modelSha256 })).toEqual(expected)
})

it('does not take the name of another model', () => {
  const wanted = { url: 'https://a.example/tiny.gguf', sha256: 'abcdef01'.repeat(8) }
  expect(nameFor(wanted, [], ['other'])).toBe('tiny')
  expect(nameFor(wanted, [{ ...tinyModel, sha256: wanted.sha256 }], [])).toBe('tiny')
  expect(nameFor(wanted, [tinyModel], [])).toBe('tiny-abcdef01')
  expect(nameFor(wanted, [{ ...tinyModel, name: 'another' }], [])).toBe('tiny')
  expect(nameFor(wanted, [], ['tiny'])).toBe('tiny-abcdef01')
})

const { size, contextLimit, geometry } = tinyModel
const described = { size, contextLimit, geometry, hasTemplate: true }
it.each([
  ['says no more', {}, { own: { hasTemplate: true } }],
  ['has no template', { hasTemplate: false }, { own: { hasTemplate: false } }],
  ['states a licence', { licence: 'MIT' }, { own: { hasTemplate: true, licence: 'MIT' } }],
  [
    'shows a model that thinks, and that our template suits',
    { thinking: 'optional', template: 'qwen3.5' },
    { thinking: 'optional', template: 'qwen3.5', own: { hasTemplate: true } },
  ],
] as const)('is known from a header that %s', (_, header, known) => {
  const wanted = { url: 'https://a.example/m.gguf', sha256: 'ab' }
  expect(describedModel('m', wanted, { ...described, ...header })).toStrictEqual({
    name: 'm',
    ...wanted,
    size,
    contextLimit,
    geometry,
    ...known,
  })
})

const [baked, ...further] = modelsOf(productionRelease) as [Model, ...Model[]]

it('adds own models to the release, once', () => {
  expect(modelsOf(withOwnModels(productionRelease, [tinyModel]))).toEqual([baked, ...further, tinyModel])
  expect(modelsOf(withOwnModels(productionRelease, [{ ...baked, url: 'http://a.example/x.gguf' }]))).toEqual(
    modelsOf(productionRelease),
  )
  const moved = { ...(further[0] as Model), url: 'http://a.example/x.gguf' }
  expect(withOwnModels(productionRelease, [moved]).further).toEqual([...further.slice(1), moved])
})

it('knows a model of the release by its digest', () => {
  const url = 'http://a.example/x.gguf'
  expect(knownByDigest(productionRelease, { url, sha256: baked.sha256 })).toEqual({ ...baked, url })
  expect(knownByDigest(productionRelease, { url, sha256: 'b'.repeat(64) })).toBeUndefined()
})

it.each([
  [undefined, 'http://a.example/x.gguf', 0],
  [baked.name, 'http://a.example/x.gguf', 0],
  ['gpt-oss-20b', undefined, 0],
  ['gpt-oss-20b', 'http://a.example/x.gguf', 1],
])('with the model %s and the URL %s, has %d notes', (model, modelUrl, count) => {
  expect(ignoredModelNotes({ model, modelUrl }, productionRelease)).toHaveLength(count)
})

it.each<[string, Partial<Model>, boolean]>([
  ["a model of the catalogue, whose template is the file's", {}, false],
  ['an own model with a template', { own: { hasTemplate: true } }, false],
  ['an own model without one', { own: { hasTemplate: false } }, true],
  ["one that the appliance's template suits", { own: { hasTemplate: false }, template: 'devstral' }, false],
])('%s has a note on its template: %s', (_, changes, isNoted) => {
  expect(templateNotes({ ...tinyModel, ...changes }, 'one-key').length > 0).toBe(isNoted)
})

it.each<[string, Partial<Model>, CacheSharing, boolean]>([
  ['a model of the catalogue, separate caches', {}, 'separate', true],
  ['an own model, one key', { own: { hasTemplate: true } }, 'one-key', true],
  ['an own model, a shared cache', { own: { hasTemplate: true } }, 'shared', true],
  ['an own model, separate caches', { own: { hasTemplate: true } }, 'separate', false],
  ['one without a template, separate caches', { own: { hasTemplate: false } }, 'separate', false],
  [
    "one with the appliance's template",
    { own: { hasTemplate: true }, template: 'devstral' },
    'separate',
    true,
  ],
])('%s: prompts are reused: %s', (_, changes, sharing, isReused) => {
  const model = { ...tinyModel, ...changes }
  expect(reusesPrompts(model, sharing)).toBe(isReused)
  expect(templateNotes(model, sharing).some(note => note.includes('every prompt from its start'))).toBe(
    !isReused,
  )
})
