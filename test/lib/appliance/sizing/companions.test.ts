import { describe, expect, it } from 'vitest'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import { type CompanionModel, companionCatalogue } from '../../../../lib/appliance/models/companions.ts'
import { defaultRequest, planCapacity } from '../../../../lib/appliance/sizing/capacity.ts'
import {
  candidatesFor,
  companionCapacity,
  planCompanions,
  reservedBy,
} from '../../../../lib/appliance/sizing/companions.ts'
import { GiB, MiB } from '../../../../lib/appliance/sizing/memory.ts'
import { memoryInVm } from '../../../../lib/appliance/sizing/smallest-vm.ts'

const models = Object.values<CompanionModel>(companionCatalogue)
const devstral = catalogue['devstral-small-2']
const machine = (gibibytes: number) => ({ cpus: 16, physicalCores: 16, memory: memoryInVm(gibibytes * GiB) })
const names = (found: { model: CompanionModel }[]) => found.map(({ model }) => model.name)

describe('which models the context asks for', () => {
  const all = () => true
  const none = () => false
  const only = (name: string) => (model: CompanionModel) => model.name === name
  it.each([
    ['nothing that is not on the disk', { completion: 'auto', embeddings: [] }, {}, none, []],
    [
      'the default, if all are there',
      { completion: 'auto', embeddings: [] },
      {},
      all,
      ['qwen2.5-coder-1.5b'],
    ],
    [
      'the one that is there',
      { completion: 'auto', embeddings: [] },
      {},
      only('qwen2.5-coder-7b'),
      ['qwen2.5-coder-7b'],
    ],
    [
      'none beside a chat model that fills gaps',
      { completion: 'auto', embeddings: [] },
      { infills: true as const },
      all,
      [],
    ],
    ['none with NO', { completion: undefined, embeddings: [] }, {}, all, []],
    [
      'what is named, there or not',
      { completion: 'qwen2.5-coder-0.5b', embeddings: ['nomic-embed-text-v1.5', 'qwen3-reranker-0.6b'] },
      { infills: true as const },
      none,
      ['qwen2.5-coder-0.5b', 'nomic-embed-text-v1.5', 'qwen3-reranker-0.6b'],
    ],
  ])('%s', (_, context, chat, isInstalled, expected) => {
    expect(names(candidatesFor(models, context, chat, isInstalled))).toEqual(expected)
  })
})

describe('the plan of one', () => {
  it.each([
    ['qwen2.5-coder-1.5b', 2.3, 3.1],
    ['qwen3-embedding-0.6b', 0.9, 1.3],
    ['nomic-embed-text-v1.5', 0.2, 0.4],
    ['qwen3-reranker-0.6b', 0.9, 1.3],
  ] as const)('%s takes %d to %d GiB', (name, least, most) => {
    const capacity = companionCapacity(machine(32), companionCatalogue[name])
    const taken = reservedBy([capacity]) / GiB
    expect(taken).toBeGreaterThan(least)
    expect(taken).toBeLessThan(most)
    expect(capacity.memoryLimit / GiB).toBeGreaterThan(taken)
    expect(capacity.memoryLimit % MiB).toBe(0)
  })

  it('an encoder has no KV cache', () => {
    expect(companionCapacity(machine(32), companionCatalogue['nomic-embed-text-v1.5']).memory.kvCache).toBe(0)
  })
})

describe('beside chat', () => {
  const completion = companionCatalogue['qwen2.5-coder-1.5b']
  const plan = (gibibytes: number, isRequested: boolean, request = defaultRequest) =>
    planCompanions(machine(gibibytes), devstral, request, [
      { model: completion, isRequested, isInstalled: true },
    ])
  const chatWith = (gibibytes: number, reserved: number) =>
    planCapacity({ ...machine(gibibytes), reserved }, devstral, defaultRequest)

  it('runs where chat loses nothing', () => {
    const { companions, reserved, notes } = plan(64, false)
    expect({ names: companions.map(({ capacity }) => capacity.model.name), notes }).toEqual({
      names: [completion.name],
      notes: [],
    })
    const { slots, contextSize, kvType } = chatWith(64, reserved)
    expect({ slots, contextSize, kvType }).toMatchObject({
      slots: chatWith(64, 0).slots,
      contextSize: chatWith(64, 0).contextSize,
      kvType: chatWith(64, 0).kvType,
    })
  })

  it('does not run unasked where chat would lose a slot', () => {
    expect(plan(32, false)).toEqual({ companions: [], reserved: 0, notes: [] })
  })

  it('runs if asked for, and says what chat loses', () => {
    const { companions, notes } = plan(32, true)
    expect(companions).toHaveLength(1)
    expect(notes.join()).toMatch(
      /^qwen2\.5-coder-1\.5b takes \d\.\d GiB from chat, which now has 1 of 2 conversations at once\.$/,
    )
  })

  it('never takes what chat cannot do without', () => {
    const { companions, notes } = plan(16, true)
    expect(companions).toEqual([])
    expect(notes.join()).toMatch(
      /^qwen2\.5-coder-1\.5b is not run: beside devstral-small-2, this VM has no room for/,
    )
  })

  it('lowers the limit of chat by what is reserved', () => {
    const { reserved } = plan(64, true)
    expect(chatWith(64, 0).memoryLimit - chatWith(64, reserved).memoryLimit).toBeGreaterThanOrEqual(
      reserved - MiB,
    )
  })
})
