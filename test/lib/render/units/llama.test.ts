import { expect, it } from 'vitest'
import { catalogue, modelSchema } from '../../../../lib/appliance/models/catalogue.ts'
import { companionCatalogue } from '../../../../lib/appliance/models/companions.ts'
import { planCapacity } from '../../../../lib/appliance/sizing/capacity.ts'
import { companionCapacity } from '../../../../lib/appliance/sizing/companions.ts'
import { GiB, MiB } from '../../../../lib/appliance/sizing/memory.ts'
import { memoryInVm } from '../../../../lib/appliance/sizing/smallest-vm.ts'
import { companionSettings } from '../../../../lib/render/units/companions.ts'
import { llamaEnvironment, llamaSettings } from '../../../../lib/render/units/llama.ts'
import { capacityFor } from '../../../support/capacity.ts'

const samplingOf = (name: keyof typeof catalogue) => {
  const named = /TEMPERATURE|TOP_|MIN_P|REPEAT/
  return Object.fromEntries(
    Object.entries(llamaSettings(capacityFor(catalogue[name]))).filter(([variable]) => named.test(variable)),
  )
}

it.each([
  ['devstral-small-2', { LLAMA_ARG_TEMPERATURE: '0.15' }],
  ['gpt-oss-20b', { LLAMA_ARG_TEMPERATURE: '1', LLAMA_ARG_TOP_P: '1' }],
  [
    'qwen3-coder-30b-a3b',
    {
      LLAMA_ARG_TEMPERATURE: '0.7',
      LLAMA_ARG_TOP_P: '0.8',
      LLAMA_ARG_TOP_K: '20',
      LLAMA_ARG_REPEAT_PENALTY: '1.05',
    },
  ],
] as const)('samples %s as its publisher recommends', (name, settings) => {
  expect(samplingOf(name)).toEqual(settings)
})

it.each([
  ['qwen3.6-35b-a3b', 'auto', { LLAMA_ARG_TEMPERATURE: '0.6' }],
  ['qwen3.6-35b-a3b', 'NO', { LLAMA_ARG_REASONING: 'off', LLAMA_ARG_PRESENCE_PENALTY: '1.5' }],
  ['qwen3.6-35b-a3b', 500, { LLAMA_ARG_THINK_BUDGET: '500', LLAMA_ARG_TEMPERATURE: '0.6' }],
  ['gpt-oss-20b', 'NO', { LLAMA_ARG_REASONING_EFFORT: 'low' }],
] as const)('lets %s think as requested: %s', (name, thinking, settings) => {
  const found = llamaSettings(capacityFor(catalogue[name], { thinking }))
  expect(found).toMatchObject(settings)
  const others = ['LLAMA_ARG_REASONING', 'LLAMA_ARG_THINK_BUDGET', 'LLAMA_ARG_REASONING_EFFORT']
  for (const other of others.filter(each => !(each in settings))) expect(found[other]).toBeUndefined()
})

it.each(Object.values(catalogue))('$name has its strengths and licence stated', model => {
  expect(modelSchema.parse(model)).toEqual(model)
  expect(model.goodAt).toMatch(/\.$/)
  expect(model.licence).toMatch(/^(Apache-2\.0|LicenseRef-[\w-]+)$/)
})

it('configures llama-server as planned: KV type, and the prompt cache in MiB', () => {
  const short = planCapacity(
    { cpus: 4, physicalCores: 4, memory: memoryInVm(32 * GiB) },
    catalogue['devstral-small-2'],
    {
      contextSize: 131_072,
      parallel: 1,
      threads: 0,
    },
  )
  expect(llamaSettings(short)).toMatchObject({
    LLAMA_ARG_CACHE_TYPE_K: 'q8_0',
    LLAMA_ARG_CACHE_TYPE_V: 'f16',
    LLAMA_ARG_CTX_SIZE: '131072',
    LLAMA_ARG_CTX_CHECKPOINTS: '32',
    LLAMA_ARG_CACHE_RAM: String(short.memory.promptCache / MiB),
  })
  expect(short.memory.promptCache).toBeGreaterThan(GiB)
})

it.each([
  [true, false],
  [false, true],
])('if prompts may be reused: %s, has reuse disabled: %s', (reusesPrompts, isDisabled) => {
  const { text } = llamaEnvironment(capacityFor(catalogue['devstral-small-2']), { reusesPrompts })
  expect(/^LLAMA_ARG_CACHE_PROMPT="?0"?$/m.test(text)).toBe(isDisabled)
})

it.each([
  ['qwen3-embedding-0.6b', { LLAMA_ARG_EMBEDDINGS: '1', LLAMA_ARG_POOLING: 'last' }],
  ['nomic-embed-text-v1.5', { LLAMA_ARG_EMBEDDINGS: '1', LLAMA_ARG_POOLING: 'mean' }],
  ['qwen3-reranker-0.6b', { LLAMA_ARG_RERANKING: '1' }],
] as const)('%s reuses nothing of what others have sent', (name, settings) => {
  const capacity = companionCapacity({ cpus: 4, physicalCores: 4 }, companionCatalogue[name])
  const withoutCache = { LLAMA_ARG_CACHE_RAM: '0', LLAMA_ARG_CACHE_PROMPT: '0' }
  expect(companionSettings(capacity)).toMatchObject({ ...settings, ...withoutCache })
})

it.each([
  ['devstral-small-2', '0'],
  ['qwen3.6-35b-a3b', undefined],
] as const)("the appliance's template for %s continues a partial answer itself: %s", (name, prefill) => {
  expect(llamaSettings(capacityFor(catalogue[name])).LLAMA_ARG_PREFILL_ASSISTANT).toBe(prefill)
})
