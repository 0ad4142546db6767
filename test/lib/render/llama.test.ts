import { expect, it } from 'vitest'
import { planCapacity } from '../../../lib/appliance/capacity.ts'
import { catalogue, modelSchema } from '../../../lib/appliance/catalogue.ts'
import { GiB } from '../../../lib/appliance/memory.ts'
import { llamaSettings } from '../../../lib/render/llama.ts'

const samplingOf = (name: keyof typeof catalogue) => {
  const machine = { cpus: 1, physicalCores: 1, memory: 64 * GiB }
  const capacity = planCapacity(machine, catalogue[name], { contextSize: 512, parallel: 1, threads: 1 })
  const named = /TEMPERATURE|TOP_|MIN_P|REPEAT/
  return Object.fromEntries(
    Object.entries(llamaSettings(capacity)).filter(([variable]) => named.test(variable)),
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
] as const)('samples %s as its maker says', (name, settings) => {
  expect(samplingOf(name)).toEqual(settings)
})

it.each(Object.values(catalogue))('$name says what it is good at, and its licence', model => {
  expect(modelSchema.parse(model)).toEqual(model)
  expect(model.goodAt).toMatch(/\.$/)
  expect(model.licence).toMatch(/^(Apache-2\.0|LicenseRef-[\w-]+)$/)
})
