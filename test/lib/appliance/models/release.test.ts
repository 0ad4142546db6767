import { expect, it } from 'vitest'
import { productionRelease, releaseSchema } from '../../../../lib/appliance/models/release.ts'

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
