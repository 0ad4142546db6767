import { expect, it } from 'vitest'
import { planCapacity } from '../../lib/appliance/capacity.ts'
import { catalogue } from '../../lib/appliance/catalogue.ts'
import { GiB } from '../../lib/appliance/memory.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { planFile } from '../../lib/appliance/plan.ts'
import { productionRelease } from '../../lib/appliance/release.ts'
import { readTrials } from '../../lib/steps/fetched-models.ts'
import { CommandError } from '../../lib/system/commands.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { fetchModel, retryModel } from '../../lifecycle/fetch-model.ts'
import { recordedHost } from '../recorded-host.ts'

const model = catalogue['qwen2.5-coder-3b']
const machine = { cpus: 1, physicalCores: 1, memory: 64 * GiB }
const asked = { contextSize: 512, parallel: 1, threads: 1 }
const capacity = planCapacity(machine, productionRelease.model, asked)
const plan = { capacity, endpoints: ['192.0.2.7'], notes: [], hardware: [] }
const wanted = { model, url: 'http://192.0.2.1/m.gguf', circumstances: 'these' }

async function hostWith(plans: Parameters<typeof planFile>[0], code = 0) {
  const host = recordedHost({
    run: async command => {
      if (code === 0) return ''
      throw new CommandError(command, { code, stdout: '', stderr: '' })
    },
  })
  host.files.makeFolder('/run')
  await applyFiles(host, [planFile(plans)])
  return host
}

it('does nothing where nothing is wanted', async () => {
  const host = await hostWith(plan)
  await fetchModel(host)
  expect(readTrials(host)).toEqual({})
})

it('tries again what did not come, ever more patiently, and tells everybody; until it is no longer wanted', async () => {
  const host = await hostWith({ ...plan, wanted }, 6)
  const pauses: number[] = []
  await fetchModel(host, async seconds => {
    pauses.push(seconds)
    const said = host.files.read(paths.fetchProgress)?.replaceAll('\n', ' ')
    expect(said).toMatch(
      /qwen2.5-coder-3b is not fetched yet: .*m\.gguf did not come: there is no connection/,
    )
    expect(host.files.status(paths.fetchProgress)?.mode).toBe(0o644)
    expect(readTrials(host)[model.sha256]).toMatchObject({ outcome: 'under way', circumstances: 'these' })
    if (pauses.length === 3) await applyFiles(host, [planFile(plan)])
  })
  expect(pauses).toEqual([15, 30, 60])
  expect(host.lines.filter(line => line.includes('Next attempt: 10:00:15 UTC.'))).toHaveLength(1)
  expect(host.files.read(paths.fetchProgress)).toBeUndefined()
})

it('has nothing to try again where nothing failed', async () => {
  const host = await hostWith(plan)
  await expect(retryModel(host)).rejects.toThrow('no model has failed here')
})
