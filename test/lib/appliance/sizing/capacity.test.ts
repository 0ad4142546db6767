import { describe, expect, it } from 'vitest'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import {
  type Capacity,
  type CapacityRequest,
  planCapacity,
} from '../../../../lib/appliance/sizing/capacity.ts'
import { leastContext } from '../../../../lib/appliance/sizing/limits.ts'
import { GiB, sumOf } from '../../../../lib/appliance/sizing/memory.ts'
import { shortageOf } from '../../../../lib/appliance/sizing/shortage.ts'
import { memoryInVm, smallestVm } from '../../../../lib/appliance/sizing/smallest-vm.ts'

const defaults: CapacityRequest = { contextSize: 32_768, parallel: 'auto', threads: 0 }
type CatalogueName = keyof typeof catalogue

/** The plan for a VM with so many GiB. */
const plan = (
  gibibytes: number,
  asked: Partial<CapacityRequest> = {},
  model: CatalogueName = 'devstral-small-2',
): Capacity =>
  planCapacity({ cpus: 8, physicalCores: 4, memory: memoryInVm(gibibytes * GiB) }, catalogue[model], {
    ...defaults,
    ...asked,
  })

const said = (text: RegExp) => expect.stringMatching(text)

it.each([
  { asked: {}, gives: { threads: 4, batchSize: 256, notes: [] } },
  { asked: { threads: 8 }, gives: { threads: 8, notes: [] } },
  {
    asked: { threads: 9 },
    gives: { threads: 8, notes: [said(/9 threads requested, but this VM has 8 CPUs/)] },
  },
])('gives threads for $asked', ({ asked, gives }) => {
  expect(plan(32, asked)).toMatchObject(gives)
})

describe('Devstral', () => {
  it.each([
    // As requested, in 16 bits; by default more slots, as long as a spare conversation fits too.
    { vm: 32, asked: {}, gives: { contextSize: 32_768, slots: 2, kvType: 'f16', notes: [] } },
    { vm: 64, asked: {}, gives: { contextSize: 32_768, slots: 4, kvType: 'f16', notes: [] } },
    { vm: 128, asked: {}, gives: { contextSize: 32_768, slots: 4, kvType: 'f16', notes: [] } },
    { vm: 64, asked: { parallel: 7 }, gives: { contextSize: 32_768, slots: 7, kvType: 'f16' } },
    // In 8 bits if that is enough: the keys, or all.
    {
      vm: 32,
      asked: { contextSize: 131_072 },
      gives: {
        contextSize: 131_072,
        slots: 1,
        kvType: 'q8_0/f16',
        notes: expect.arrayContaining([said(/^The keys .* 8 bits .* half/)]),
      },
    },
    {
      vm: 28,
      asked: { contextSize: 131_072 },
      gives: {
        contextSize: 131_072,
        slots: 1,
        kvType: 'q8_0',
        notes: expect.arrayContaining([said(/^The KV cache .* 8 bits .* third/)]),
      },
    },
    { vm: 32, asked: { parallel: 4 }, gives: { contextSize: 32_768, slots: 4, kvType: 'q8_0/f16' } },
    // Otherwise a shorter context, down to 4096 tokens; then fewer slots.
    {
      vm: 16,
      asked: {},
      gives: {
        contextSize: 15_360,
        slots: 1,
        kvType: 'q8_0',
        notes: expect.arrayContaining([said(/context of 15360 tokens instead of 32768.* 18\.0 GiB fits/)]),
      },
    },
    { vm: 32, asked: { parallel: 20 }, gives: { contextSize: 9216, slots: 20, kvType: 'q8_0' } },
    {
      vm: 16,
      asked: { parallel: 8 },
      gives: {
        contextSize: 5120,
        slots: 3,
        notes: expect.arrayContaining([
          said(/ 5120 tokens instead of 32768, 3 conversations at once instead of 8\. A VM/),
        ]),
      },
    },
    // A cached prompt of the default context must fit beside, however long the window is.
    {
      vm: 24,
      asked: {},
      gives: { slots: 1, kvType: 'f16', notes: [said(/^Little memory .* prompt cache/)] },
    },
    { vm: 26, asked: {}, gives: { slots: 1, kvType: 'f16', notes: [] } },
    { vm: 40, asked: { contextSize: 131_072, parallel: 1 }, gives: { notes: [said(/^Little memory/)] } },
    { vm: 42, asked: { contextSize: 131_072, parallel: 1 }, gives: { contextSize: 131_072, notes: [] } },
    // A context of `auto`.
    {
      vm: 32,
      asked: { contextSize: 'auto' },
      gives: { contextSize: 53_248, slots: 1, kvType: 'f16', notes: [] },
    },
    { vm: 24, asked: { contextSize: 'auto' }, gives: { contextSize: 58_368, kvType: 'f16', slots: 1 } },
    { vm: 20, asked: { contextSize: 'auto' }, gives: { contextSize: 32_768, kvType: 'f16', slots: 1 } },
    { vm: 19, asked: { contextSize: 'auto' }, gives: { kvType: 'q8_0/f16', slots: 1 } },
    { vm: 18, asked: { contextSize: 'auto' }, gives: { kvType: 'q8_0', slots: 1 } },
    { vm: 24, asked: { contextSize: 200_000 }, gives: { contextSize: 109_568, kvType: 'q8_0', slots: 1 } },
    { vm: 256, asked: { contextSize: 'auto' }, gives: { contextSize: 393_216, kvType: 'f16' } },
    {
      vm: 256,
      asked: { contextSize: 393_216 },
      gives: { notes: [said(/393216 tokens takes a lot of memory/)] },
    },
  ] as const)('plans $asked for $vm GiB', ({ vm, asked, gives }) => {
    expect(plan(vm, asked)).toMatchObject(gives)
  })
})

it.each([
  ['qwen3.6-35b-a3b', {}, undefined, []],
  ['qwen3.6-35b-a3b', { thinking: 2048 }, 2048, []],
  ['gpt-oss-20b', { thinking: 'NO' }, 'off', [said(/always thinks/)]],
  ['devstral-small-2', { thinking: 'NO' }, undefined, [said(/THINKING=NO has no effect/)]],
] as const)('%s, asked for %j, thinks up to the limit %s', (model, asked, thinking, notes) => {
  const planned = plan(64, asked, model)
  expect({ thinking: planned.thinking, notes: planned.notes }).toEqual({ thinking, notes })
})

it('caches conversations of a hybrid with their checkpoints', () => {
  const { memory, contextSize, slots } = plan(64, {}, 'qwen3.6-35b-a3b')
  const conversation = (memory.kvCache + memory.checkpoints) / slots
  expect({ contextSize, cached: Math.round(memory.promptCache / conversation) }).toEqual({
    contextSize: 32_768,
    cached: 8,
  })
})

it('never plans for more memory than there is, nor for less than possible', () => {
  for (const model of Object.keys(catalogue) as CatalogueName[])
    for (const vm of [24, 27, 31, 48, 96])
      for (const asked of [{}, { contextSize: 'auto' }, { contextSize: 100_000, parallel: 3 }] as const) {
        const { memory, memoryLimit } = plan(vm, asked, model)
        const { system, ...llama } = memory
        expect(sumOf(llama)).toBeLessThanOrEqual(memoryLimit)
        expect(memoryLimit + system).toBeLessThanOrEqual(memoryInVm(vm * GiB))
        expect(llama.promptCache).toBeGreaterThanOrEqual(0)
      }
  const automatic = plan(32, { contextSize: 'auto' })
  expect(automatic.memory.promptCache).toBeGreaterThanOrEqual(automatic.memory.kvCache)
  const larger = plan(32, { contextSize: automatic.contextSize + 1024, parallel: 1 })
  expect(larger.memory.promptCache).toBeLessThan(larger.memory.kvCache)
})

it('stays the same after a boot in which the kernel keeps a little more for itself', () => {
  const machine = { cpus: 8, physicalCores: 4, memory: 31.4 * GiB }
  const again = { ...machine, memory: machine.memory - 1_000_000 }
  const model = catalogue['devstral-small-2']
  expect(planCapacity(again, model, defaults)).toEqual(planCapacity(machine, model, defaults))
})

it('refuses if not even 4096 tokens fit, naming the memory needed', () => {
  expect(() => plan(14)).toThrow(/devstral-small-2 does not fit into 13\.7 GiB .* 4096 .* VM 15\.0 GiB/)
  expect(plan(15).contextSize).toBeGreaterThanOrEqual(4096)
})

it('recommends only VMs that fit the full request', () => {
  let recommendations = 0
  for (const name of Object.keys(catalogue) as CatalogueName[])
    for (const vm of [23, 27, 40, 64, 100])
      for (const contextSize of [32_768, 100_000, 393_216, 409_600, 1_000_000])
        for (const parallel of [1, 3, 16] as const) {
          const { notes } = plan(vm, { contextSize, parallel }, name)
          const larger = notes.join().match(/A VM with ([\d.]+) GiB fits the full request/)?.[1]
          if (larger === undefined) continue
          recommendations += 1
          expect(Number(larger)).toBeGreaterThan(vm)
          expect(plan(Number(larger), { contextSize, parallel }, name)).toMatchObject({
            contextSize: Math.min(contextSize, catalogue[name].contextLimit),
            slots: parallel,
          })
        }
  expect(recommendations).toBeGreaterThan(10)
})

it("notes a request beyond the model's limit, whatever the memory", () => {
  const { contextSize, notes } = plan(256, { contextSize: 409_600 })
  expect(contextSize).toBe(393_216)
  expect(notes).toContainEqual(said(/409600 tokens .* devstral-small-2 supports at most 393216\./))
  expect(notes.join()).not.toContain('A VM with')
})

it('finds a size even for what no machine can hold', () => {
  const model = { ...catalogue['devstral-small-2'], contextLimit: 2 ** 31 }
  const asked = { contextSize: 2 ** 31, parallel: 64 }
  expect(smallestVm(model, asked)).toBeGreaterThan(2 ** 50)
})

it.each([
  ['devstral-small-2', 18],
  ['qwen3-coder-30b-a3b', 21],
  ['qwen3.6-35b-a3b', 24],
  ['gpt-oss-20b', 13],
  ['qwen2.5-coder-3b', 4],
] as const)('finds the smallest VM that gives %s its default context', (name, gibibytes) => {
  expect(smallestVm(catalogue[name], { contextSize: 32_768, parallel: 1 })).toBe(gibibytes * GiB)
  expect(plan(gibibytes, {}, name)).toMatchObject({ contextSize: 32_768 })
  const smaller = memoryInVm((gibibytes - 1) * GiB)
  expect(
    sumOf(plan(gibibytes, {}, name).memory) - plan(gibibytes, {}, name).memory.promptCache,
  ).toBeGreaterThan(smaller)
})

it('finds a VM that has room for the services beside chat, too', () => {
  const asked = { contextSize: 32_768, parallel: 1 } as const
  const model = catalogue['devstral-small-2']
  expect(smallestVm(model, asked, { reserved: 4 * GiB })).toBe(smallestVm(model, asked) + 4 * GiB)
})

describe('on a CPU with AMX', () => {
  const features = ['amx_int8', 'amx_tile', 'avx512_bf16', 'avx512_vnni', 'avx512f', 'avx512vbmi']
  const machine = { cpus: 8, physicalCores: 4, memory: memoryInVm(32 * GiB) }

  it.each(Object.keys(catalogue) as CatalogueName[])(
    'counts the copies of %s, and what stays mapped',
    name => {
      const { geometry, size } = catalogue[name]
      const { memory } = planCapacity({ ...machine, cpu: { features } }, catalogue[name], defaults)
      expect(memory.repacked).toBe(geometry.amx.copies)
      expect(memory.mapped).toBe(size - geometry.amx.source)
      // Plausible: more than is copied without AMX, and in total at most an eighth more than the file.
      expect(memory.repacked).toBeGreaterThan(geometry.repackable)
      expect(memory.repacked + memory.mapped).toBeLessThan(size * 1.125)
    },
  )

  it('recommends a larger VM if the copies do not fit', () => {
    const asked = { contextSize: 32_768, parallel: 'auto' } as const
    const model = { ...catalogue['gpt-oss-20b'], size: 16 * GiB }
    const heavy = { ...model, geometry: { ...model.geometry, amx: { source: 15 * GiB, copies: 17 * GiB } } }
    expect(smallestVm(heavy, asked, { cpu: { features } })).toBe(smallestVm(heavy, asked) + 2 * GiB)
  })
})

describe('after llama-server ran out of memory', () => {
  const machine = { cpus: 16, physicalCores: 16, memory: memoryInVm(32 * GiB) }
  const model = catalogue['devstral-small-2']
  const taken = ({ memory: { system: _, ...server } }: Capacity) => sumOf(server)

  it('each plan takes less than the one before, and says so; the limit stays', () => {
    let plan = planCapacity(machine, model, defaults)
    const { memoryLimit } = plan
    for (let time = 1; time <= 4; time += 1) {
      const shortage = shortageOf(plan, machine.memory)
      const next = planCapacity({ ...machine, shortage }, model, defaults)
      expect(taken(next)).toBeLessThanOrEqual(shortage.most)
      expect(next.memoryLimit).toBe(memoryLimit)
      expect(next.notes.join(' ')).toMatch(/^llama-server ran out of memory although the plan took /)
      plan = next
    }
  })

  it('allows the next plan 70 % of the KV cache and the prompt cache', () => {
    const plan = planCapacity(machine, model, defaults)
    const { most } = shortageOf(plan, machine.memory)
    expect(taken(plan) - most).toBeCloseTo(0.3 * (plan.memory.kvCache + plan.memory.promptCache), -1)
  })

  it('serves the least that there is, however often', () => {
    const shortage = { ...shortageOf(planCapacity(machine, model, defaults), machine.memory), most: 1 }
    expect(planCapacity({ ...machine, shortage }, model, defaults)).toMatchObject({
      contextSize: leastContext,
      slots: 1,
      memory: { promptCache: 0 },
    })
  })

  it.each([
    ['another model', { model: 'another' }],
    ['a VM that has since been given more memory', { memory: memoryInVm(28 * GiB) }],
  ])('does not affect %s', (_, other) => {
    const plan = planCapacity(machine, model, defaults)
    const shortage = { ...shortageOf(plan, machine.memory), ...other }
    expect(planCapacity({ ...machine, shortage }, model, defaults)).toEqual(plan)
  })
})
