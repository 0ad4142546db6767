import { expect, it } from 'vitest'
import { showChanges } from '../../lifecycle/upgrade-source.ts'
import { recordedHost } from '../support/recorded-host.ts'

it.each([
  ['can be configured', { exitCode: 0 }, undefined],
  [
    'rejects the context',
    { exitCode: 1, stderr: 'slm-copilot configure: 1 problem in the context.' },
    /^The upgrade would fail, since its configure does: slm-copilot configure: 1 problem/,
  ],
])('the preview of a release that %s', async (_, answer, problem) => {
  const host = recordedHost({}, () => answer)
  const shown = showChanges(host, '/tmp/release/slm-copilot')
  await (problem === undefined ? shown : expect(shown).rejects.toThrow(problem))
  expect(host.commands).toEqual([
    expect.stringMatching(/^\/tmp\/release\/slm-copilot configure .* --dry-run$/),
  ])
})
