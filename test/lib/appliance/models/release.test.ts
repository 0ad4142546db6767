import { expect, it } from 'vitest'
import {
  bakedModels,
  catalogueNames,
  modelsOf,
  productionRelease,
  releaseSchema,
  releaseWith,
  requestNames,
} from '../../../../lib/appliance/models/release.ts'

it('has in the image the model for chat, and what is baked in beside it', () => {
  const names = (release: typeof productionRelease) => bakedModels(release).map(({ name }) => name)
  expect(names(releaseWith('devstral-small-2'))).toEqual(['devstral-small-2'])
  const release = releaseWith('devstral-small-2', ['qwen2.5-coder-1.5b'])
  expect(names(release)).toEqual(['devstral-small-2', 'qwen2.5-coder-1.5b'])
  expect(release.companions.filter(({ isBaked }) => isBaked === undefined).length).toBe(
    release.companions.length - 1,
  )
})

it('lets the context request each model of the catalogue, whichever is baked in', () => {
  const [first, ...others] = modelsOf(releaseWith('gpt-oss-20b')).map(({ name }) => name)
  expect(first).toBe('gpt-oss-20b')
  expect(others).toEqual(catalogueNames.filter(name => name !== 'gpt-oss-20b'))
})

it('reads the production release back from JSON', () => {
  expect(releaseSchema.parse(JSON.parse(JSON.stringify(productionRelease)))).toEqual(productionRelease)
})

it.each([
  [
    'a digest cut short',
    { ...productionRelease, model: { ...productionRelease.model, sha256: 'abc' } },
    /sha256/,
  ],
  [
    'a name that is a path',
    { ...productionRelease, model: { ...productionRelease.model, name: '../x' } },
    /name/,
  ],
  ['an unknown field', { ...productionRelease, extra: 1 }, /extra/],
])('refuses %s', (_, release, problem) => {
  expect(() => releaseSchema.parse(release)).toThrow(problem)
})

it('accepts requests for any model that may be requested, whose name clients may still have', () => {
  const { model, further } = productionRelease
  expect(modelsOf(productionRelease)).toEqual([model, ...further])
  const [other] = further
  if (other === undefined) throw new Error('no further model')
  const names = requestNames(other, productionRelease)
  expect(names.slice(0, 3)).toEqual([other.name, 'default', model.name])
  expect(names.toSorted()).toEqual(['default', model.name, ...further.map(({ name }) => name)].toSorted())
})
