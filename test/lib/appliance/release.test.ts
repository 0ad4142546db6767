import { expect, it } from 'vitest'
import { parseRelease, productionRelease } from '../../../lib/appliance/release.ts'

it('takes the production release written as JSON', () => {
  expect(parseRelease(JSON.stringify(productionRelease), 'x')).toEqual(productionRelease)
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
  ['a field that nobody reads', { ...productionRelease, extra: 1 }, /extra/],
])('refuses %s', (_, release, problem) => {
  expect(() => parseRelease(JSON.stringify(release), '/tmp/r.json')).toThrow(problem)
})
