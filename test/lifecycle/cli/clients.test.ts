import { expect, it } from 'vitest'
import { namesOf } from '../../../lib/appliance/names.ts'
import { paths } from '../../../lib/appliance/paths.ts'
import type { Plan } from '../../../lib/appliance/plan.ts'
import { planFile } from '../../../lib/steps/plan.ts'
import { applyFiles } from '../../../lib/system/managed-files.ts'
import { clientsText } from '../../../lifecycle/cli/clients.ts'
import { capacityFor, servingPlan, tinyModel } from '../../support/capacity.ts'
import { decided, ownTlsFiles } from '../../support/certificates.ts'
import { rightClock } from '../../support/clock.ts'
import { facts, recordedHost } from '../../support/recorded-host.ts'

const capacity = capacityFor(tinyModel, { contextSize: 4096 })
const names = namesOf({ ...facts, addresses: ['192.0.2.7'] }, undefined)
const tls = await decided({}, names, rightClock(new Date()))

async function configured(plan: Plan = servingPlan(capacity)) {
  const host = recordedHost()
  await applyFiles(host, [
    ...ownTlsFiles(tls),
    planFile(plan),
    { path: paths.password, mode: 0o600, text: 'the-key-of-this-test\n' },
  ])
  return host
}

it('prints one client, as planned by configure and without the key', async () => {
  const text = clientsText(await configured(), 'cline')
  expect(text).toMatch(/^\[Cline\]$/m)
  expect(text).toMatch(/= https:\/\/192\.0\.2\.7\/v1\n.*= KEY\n.*= tiny\n.*= 4096/)
  expect(text).toContain(paths.report)
  expect(text).not.toMatch(/Codex|the-key-of-this-test/)
})

it('prints all of them', async () => {
  const text = clientsText(await configured(), undefined)
  for (const title of ['Cline', 'opencode', 'Codex', 'aider', 'Anthropic SDK, Node'])
    expect(text).toContain(`[${title}]\n`)
})

it('notes that no model is served, if the plan has none to serve', async () => {
  const { capacity: intended, ...rest } = servingPlan(capacity)
  const failed = {
    state: 'unavailable',
    intended,
    reason: 'tiny is not served: It fell over.',
    fix: 'Try.',
  } as const
  const text = clientsText(await configured({ ...rest, ...failed }), 'cline')
  expect(text).toContain('\nNote: tiny is not served: It fell over. Try.\n')
})

it('lists the known clients if asked for an unknown one', async () => {
  const host = await configured()
  expect(() => clientsText(host, 'emacs')).toThrow(/unknown client "emacs".*cline, continue, opencode/)
})

it('says what to do if nothing has been configured', () => {
  expect(() => clientsText(recordedHost(), undefined)).toThrow(/slm-copilot configure/)
})
