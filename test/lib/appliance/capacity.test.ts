import { expect, it } from 'vitest'
import { planCapacity } from '../../../lib/appliance/capacity.ts'
import { catalogue } from '../../../lib/appliance/catalogue.ts'

const machine = { cpus: 8, physicalCores: 4 }
const model = catalogue['devstral-small-2']
const context = { contextSize: 32_768, threads: 0 }

it.each([
  { asked: {}, gives: { threads: 4, contextSize: 32_768, slots: 2, batchSize: 256, notes: [] } },
  { asked: { threads: 8 }, gives: { threads: 8, notes: [] } },
  {
    asked: { threads: 9 },
    gives: { threads: 8, notes: [expect.stringMatching(/9 threads asked for, 8 CPUs/)] },
  },
  { asked: { contextSize: 131_072 }, gives: { contextSize: 131_072, notes: [] } },
  {
    asked: { contextSize: 131_073 },
    gives: { contextSize: 131_073, notes: [expect.stringMatching(/131073/)] },
  },
])('plans $asked', ({ asked, gives }) => {
  expect(planCapacity(machine, model, { ...context, ...asked })).toMatchObject(gives)
})
