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
    [
      'no other kind in its place',
      { completion: 'auto', embeddings: [] },
      {},
      only('nomic-embed-text-v1.5'),
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

  it.each([
    ['named, and there', 'qwen2.5-coder-0.5b', all, { isRequested: true, isInstalled: true }],
    ['named, and not there', 'qwen2.5-coder-0.5b', none, { isRequested: true, isInstalled: false }],
    ['found', 'auto', only('qwen2.5-coder-0.5b'), { isRequested: false, isInstalled: true }],
  ])('knows whether it was named, and whether it is there: %s', (_, completion, isInstalled, expected) => {
    const model = companionCatalogue['qwen2.5-coder-0.5b']
    expect(candidatesFor(models, { completion, embeddings: [] }, {}, isInstalled)).toEqual([
      { model, ...expected },
    ])
  })
})

describe('the plan of one', () => {
  it.each([
    ['qwen2.5-coder-1.5b', 2.3, 3.1],
    ['qwen3-embedding-0.6b', 0.9, 1.3],
    ['nomic-embed-text-v1.5', 0.4, 0.5],
    ['qwen3-reranker-0.6b', 0.9, 1.3],
  ] as const)('%s takes %d to %d GiB', (name, least, most) => {
    const capacity = companionCapacity(machine(32), companionCatalogue[name])
    const taken = reservedBy([capacity]) / GiB
    expect(taken).toBeGreaterThan(least)
    expect(taken).toBeLessThan(most)
    expect(capacity.memoryLimit / GiB).toBeCloseTo(1.1 * taken, 2)
    expect(capacity.memoryLimit % MiB).toBe(0)
  })

  it('vectors have room for as many answers as clients may read at once', () => {
    const processOf = (name: keyof typeof companionCatalogue) =>
      companionCapacity(machine(32), companionCatalogue[name]).memory.process
    expect(processOf('qwen3-embedding-0.6b') - processOf('qwen3-reranker-0.6b')).toBe(2 ** 20 * (96 + 4 * 25))
  })

  it.each([
    [8, 16, 8],
    [16, 8, 8],
  ])('with %d CPUs of %d cores, %d threads', (cpus, physicalCores, threads) => {
    const capacity = companionCapacity({ cpus, physicalCores }, companionCatalogue['nomic-embed-text-v1.5'])
    expect(capacity).toMatchObject({ threads, notes: [] })
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

  const both = ['completion', 'embeddings']
  it.each([
    [17, ['embeddings'], ['1.2 GiB from chat, which now has a context of 12288 tokens instead of 27648.']],
    [
      19,
      both,
      [
        '2.6 GiB from chat, which now has a context of 18432 tokens instead of 32768, a KV cache in q8_0 instead of q8_0/f16.',
        '1.2 GiB from chat, which now has a context of 4096 tokens instead of 18432.',
      ],
    ],
    [23, both, ['1.2 GiB from chat, which now has a KV cache in q8_0/f16 instead of f16.']],
    [26, both, ['2.6 GiB from chat, which now has less memory for cached prompts.']],
    [64, both, []],
  ])('each of two takes its own: with %d GiB', (gibibytes, kinds, costs) => {
    const { companions, reserved, notes } = planCompanions(machine(gibibytes), devstral, defaultRequest, [
      { model: completion, isRequested: true, isInstalled: true },
      { model: companionCatalogue['qwen3-embedding-0.6b'], isRequested: true, isInstalled: false },
    ])
    const costly = notes.filter(note => note.includes('from chat'))
    expect(costly.map(note => note.replace(/^.* takes /, ''))).toEqual(costs)
    expect(reserved).toBe(reservedBy(companions.map(({ capacity }) => capacity)))
    expect(companions.map(({ capacity, isInstalled }) => [capacity.model.kind, isInstalled])).toEqual(
      kinds.map(kind => [kind, kind === 'completion']),
    )
  })

  it('says nothing where chat itself does not fit', () => {
    expect(plan(8, true)).toEqual({ companions: [], reserved: 0, notes: [] })
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
