import { expect, it } from 'vitest'
import { parseContext } from '../../lib/appliance/context/context.ts'
import { modelsOf, productionRelease } from '../../lib/appliance/models/release.ts'
import { refusalOf } from '../../lib/appliance/sizing/capacity.ts'
import { GiB } from '../../lib/appliance/sizing/memory.ts'
import { roleOf } from '../../lifecycle/role.ts'
import { facts, recordedHost } from '../support/recorded-host.ts'

const half = GiB / 2

it.each(['NO', 'qwen2.5-coder-1.5b', 'qwen2.5-coder-7b'])(
  'plans chat on every VM that it fits, with completion by %s beside it',
  completion => {
    const host = recordedHost()
    const context = parseContext(
      { ONEAPP_COPILOT_COMPLETION: completion, ONEAPP_COPILOT_EMBEDDINGS: 'YES' },
      modelsOf(productionRelease),
      productionRelease.model,
    )
    for (let memory = 8 * GiB; memory <= 48 * GiB; memory += half) {
      const machine = { ...facts, memory }
      if (refusalOf(machine, productionRelease.model, context) !== undefined) continue
      const role = roleOf(host, { release: productionRelease, own: undefined, context, machine }, {})
      expect(role.capacity.model.name).toBe(productionRelease.model.name)
    }
  },
)
