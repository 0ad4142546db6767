import { expect, it } from 'vitest'
import { catalogue } from '../../../lib/appliance/models/catalogue.ts'
import { productionRelease } from '../../../lib/appliance/models/release.ts'
import { releaseFile } from '../../../lib/steps/models/release.ts'
import { planFile } from '../../../lib/steps/plan.ts'
import { applyFiles } from '../../../lib/system/managed-files.ts'
import { modelsList } from '../../../lifecycle/cli/models.ts'
import { capacityFor, idlePlans, servingPlan, tinyModel } from '../../support/capacity.ts'
import { recordedHost } from '../../support/recorded-host.ts'

it('shows the strengths of every model and how much fits into a VM, in 80 columns', () => {
  const text = modelsList(recordedHost(), '16G')
  for (const { name, goodAt } of Object.values(catalogue)) expect(text).toContain(`${name}\n  ${goodAt}\n`)
  expect(text).toMatch(
    /qwen3-coder.*\n.*\n.*\n.*\n.* 18\.6 GB; licence Apache-2\.0; does not fit: needs a VM with at least 19 GiB/,
  )
  expect(text).toMatch(/gpt-oss-20b\n.*\n.*\n.*\n.* 12\.1 GB; .*; fits: 3 × 32768 tokens/)
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

it('lists the models of the release, and marks the one being served', async () => {
  const host = recordedHost()
  const release = { ...productionRelease, model: tinyModel, further: [catalogue['gpt-oss-20b']] }
  await applyFiles(host, [releaseFile(release), planFile(servingPlan(capacityFor(tinyModel)))])
  expect(modelsList(host, undefined)).toMatch(/^ {2}qwen2\.5-coder-1\.5b +completion +1\.6 GB$/m)
  const names = modelsList(host, undefined).match(/^[a-z].*$/gm)
  expect(names).toEqual(['tiny  (being served)', 'gpt-oss-20b'])
  expect(modelsList(host, undefined)).toMatch(
    /gpt-oss-20b\n.*: ONEAPP_COPILOT_MODEL=NAME .*qwen2\.5-coder-1\.5b .*: ONEAPP_COPILOT_COMPLETION=NAME/s,
  )
  expect(() => modelsList(host, 'much')).toThrow(/--memory much: takes a size/)
})

it.each(idlePlans(capacityFor(tinyModel)))('marks no model if the plan is $state', async plan => {
  const host = recordedHost()
  await applyFiles(host, [releaseFile({ ...productionRelease, model: tinyModel }), planFile(plan)])
  expect(modelsList(host, undefined)).not.toContain('served now')
})
