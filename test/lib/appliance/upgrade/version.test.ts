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
  ['0.20.0', '0.100.0'],
  ['1.0.0-alpha', '1.0.0-alpha.1'],
  ['1.0.0-alpha.1', '1.0.0-alpha.beta'],
  ['1.0.0-alpha.beta', '1.0.0-beta'],
  ['1.0.0-beta.2', '1.0.0-beta.11'],
  ['1.0.0-2', '1.0.0-1a'],
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

it.each([
  ['1.2.3+build', '1.2.3'],
  ['1.2.3+build.7', '1.2.3+a'],
  ['1.2.3-rc.1+build', '1.2.3-rc.1'],
])('%s is neither older nor newer than %s: what follows a plus sign does not count', (a, b) => {
  expect([compareVersions(a, b), compareVersions(b, a)]).toEqual([0, 0])
})

it('says why a downgrade is not possible, and what is', () => {
  expect(downgradeProblem('1.2.3', '1.2.2')).toBe(
    'Version 1.2.2 is older than the installed 1.2.3. A downgrade is not possible: an older version may not ' +
      'understand what a newer one has written. To return to the version before the last upgrade: ' +
      '`slm-copilot upgrade --rollback`.',
  )
})

it.each(['1.2.3', '1.2.3-rc.1', '1.2.3-20261126.1'])(
  'names a folder by version %s and its executable, and finds the version in the name',
  version => {
    const made = versionOf(version, '0123456789abcdef')
    expect(made).toEqual({ id: `${version}-01234567`, version })
    expect(versionNamed(made.id)).toEqual(made)
  },
)
