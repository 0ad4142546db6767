import { expect, it } from 'vitest'
import {
  compareVersions,
  downgradeProblem,
  versionNamed,
  versionOf,
} from '../../../../lib/appliance/upgrade/version.ts'

/** From semver.org, 11, and beyond. */
it.each([
  ['1.0.0', '2.0.0'],
  ['2.0.0', '2.1.0'],
  ['2.1.0', '2.1.1'],
  ['0.9.0', '0.10.0'],
  ['1.0.0-alpha', '1.0.0-alpha.1'],
  ['1.0.0-alpha.1', '1.0.0-alpha.beta'],
  ['1.0.0-alpha.beta', '1.0.0-beta'],
  ['1.0.0-beta.2', '1.0.0-beta.11'],
  ['1.0.0-rc.1', '1.0.0'],
  ['1.0.0-rc-1', '1.0.0-rc-2'],
  ['0.9.9', '1.0.0-rc.1'],
])('%s is older than %s', (older, newer) => {
  expect(compareVersions(older, newer)).toBeLessThan(0)
  expect(compareVersions(newer, older)).toBeGreaterThan(0)
  expect(downgradeProblem(older, newer)).toBeUndefined()
  expect(downgradeProblem(newer, older)).toMatch(`Version ${older} is older than the installed ${newer}.`)
})

it.each(['1.2.3', '1.2.3-rc.1', '1.2.3+build'])('%s may replace itself', version => {
  expect(compareVersions(version, version)).toBe(0)
  expect(downgradeProblem(version, version)).toBeUndefined()
})

it('names a folder by the version and its executable, and finds the version in the name', () => {
  const made = versionOf('1.2.3-rc.1', '0123456789abcdef')
  expect(made).toEqual({ id: '1.2.3-rc.1-01234567', version: '1.2.3-rc.1' })
  expect(versionNamed(made.id)).toEqual(made)
})
