import { expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { planFile } from '../../lib/steps/plan.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { restore } from '../../lifecycle/prompt-cache.ts'
import { capacityFor, idlePlans, servingPlan, tinyModel } from '../support/capacity.ts'
import { recordedHost } from '../support/recorded-host.ts'

const capacity = capacityFor(tinyModel)

it.each([servingPlan(capacity), ...idlePlans(capacity)])(
  'does not wait for the model, and removes files, if no slot is to be restored: $state',
  async plan => {
    const host = recordedHost()
    await applyFiles(host, [planFile(plan)])
    host.files.replace(`${paths.promptCacheFolder}/slot-0.kv`, 'a conversation', 0o600)
    await restore(host)
    expect(host.files.list(paths.promptCacheFolder)).toEqual([])
  },
)
