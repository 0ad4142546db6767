import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { catalogue } from '../../../lib/appliance/models/catalogue.ts'
import { productionRelease } from '../../../lib/appliance/models/release.ts'
import { anonymousOf, GiB, gibibytes, MiB } from '../../../lib/appliance/sizing/memory.ts'
import { releaseFile } from '../../../lib/steps/models/release.ts'
import { planFile } from '../../../lib/steps/plan.ts'
import { applyFiles } from '../../../lib/system/managed-files.ts'
import { checked, planned } from '../../../lifecycle/cli/plan.ts'
import { capacityFor, idlePlans, servingPlan, tinyModel } from '../../support/capacity.ts'
import { recordedHost } from '../../support/recorded-host.ts'

it('plans for a VM that does not exist', async () => {
  const text = await planned(recordedHost(), { memory: '32G', cpus: '16', context: '128k' }, false)
  expect(text).toMatch(/^devstral-small-2 on a VM with 32\.0 GiB and 16 cores$/m)
  expect(text).toMatch(/context per conversation +131072 tokens/)
  expect(text).toMatch(/KV cache +keys q8_0/)
  expect(text).toMatch(/smallest VM for this request +26\.0 GiB/)
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

it('plans services beside chat, and says what they take from it', async () => {
  const beside = 'qwen2.5-coder-1.5b, nomic-embed-text-v1.5'
  const text = await planned(recordedHost(), { memory: '32G', beside }, false)
  expect(text).toMatch(/^ {2}qwen2\.5-coder-1\.5b +2\.6 GiB$/m)
  expect(text).toMatch(/^ {2}nomic-embed-text-v1\.5 +0\.\d GiB$/m)
  expect(text).toMatch(/which now has 1 of 2\s+conversations at once/)
  const { smallestVm } = JSON.parse(await planned(recordedHost(), { memory: '32G', beside }, true))
  expect(text).toMatch(new RegExp(`smallest VM for this request +${gibibytes(smallestVm)}`))
})

it('takes missing values from this machine, and prints JSON in bytes', async () => {
  const asked = { users: '2', bandwidth: '100', model: 'qwen2.5-coder-3b' }
  const value = JSON.parse(await planned(recordedHost(), asked, true))
  expect(value).toMatchObject({ slots: 2, contextSize: 32_768, threads: 4, kvType: 'f16' })
  expect(value.memoryLimit).toBeGreaterThan(30 * GiB)
  expect(value.expected.generation.most).toBeCloseTo((0.65 * 100e9) / 1_923_946_496)
})

it.each([
  [{ memory: '32' }, /--memory 32: takes a size in G or M/],
  [{ memory: '-3G' }, /--memory/],
  [{ cpus: '0' }, /--cpus 0: takes a whole number/],
  [{ context: '511' }, /--context 511: takes tokens/],
  [{ context: '12m' }, /--context 12m/],
  [{ memory: '64G', context: '400k' }, /--context 400k: takes at most 393216 tokens with devstral-small-2/],
  [{ users: 'many' }, /--users many/],
  [
    { beside: 'qwen2.5-coder-1.5b,gpt-4' },
    /--beside .*gpt-4: takes names of models, separated by commas: qwen2\.5-coder-1\.5b, /,
  ],
  [{ model: 'gpt-4' }, /--model gpt-4: takes one of devstral-small-2, .* or a file/],
  [{ model: '/nowhere/x.gguf' }, /\/nowhere\/x\.gguf cannot be used as a model: the file does not exist/],
  [{ memory: '12G' }, /does not fit into 11\.7 GiB/],
])('reports the problem with %o', async (options, message) => {
  await expect(planned(recordedHost(), options, false)).rejects.toThrow(message)
})

it("uses the appliance's own model by default", async () => {
  const host = recordedHost()
  await applyFiles(host, [releaseFile({ ...productionRelease, model: tinyModel })])
  expect(await planned(host, {}, false)).toMatch(/^tiny on this machine with 32\.0 GiB and 4 cores$/m)
})

it('compares the running llama-server with its plan', async () => {
  const capacity = capacityFor(catalogue['gpt-oss-20b'])
  const { memory } = capacity
  expect(memory.checkpoints).toBeGreaterThan(0.01 * anonymousOf(memory))
  const atMost = anonymousOf(memory) + memory.checkpoints + memory.promptCache
  const host = recordedHost({}, command =>
    command.includes(' show ') ? { stdout: 'ActiveState=active\nMainPID=77\n' } : undefined,
  )
  await applyFiles(host, [planFile(servingPlan(capacity))])
  mkdirSync(join(host.root, 'proc/77'), { recursive: true })
  const hasAnonymous = (bytes: number) =>
    writeFileSync(
      join(host.root, 'proc/77/status'),
      `Name:\tllama-server\nRssAnon:\t${Math.round(bytes / 1024)} kB\nRssFile:\t20480 kB\n`,
    )

  hasAnonymous(atMost * 1.05 - MiB)
  expect(await checked(host)).toContain(
    `planned: ${gibibytes(anonymousOf(memory) - memory.compute)} after the start, ${gibibytes(atMost)} at most`,
  )
  hasAnonymous(atMost * 1.05 + MiB)
  await expect(checked(host)).rejects.toThrow(/more than planned/)
})

it.each(idlePlans(capacityFor(tinyModel)))(
  'has no llama-server to compare if the plan is $state',
  async plan => {
    const host = recordedHost()
    await applyFiles(host, [planFile(plan)])
    await expect(checked(host)).rejects.toThrow(/^It (is being downloaded|fell over\. Try again)\.$/)
  },
)
