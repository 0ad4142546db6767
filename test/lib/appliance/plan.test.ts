import { expect, it } from 'vitest'
import type { ModelChoice } from '../../../lib/appliance/models/choice.ts'
import { companionCatalogue } from '../../../lib/appliance/models/companions.ts'
import {
  companionModels,
  describedCapacity,
  installedServices,
  pendingCompanions,
  pendingOf,
  planFor,
  planNotes,
  planSchema,
  unavailability,
} from '../../../lib/appliance/plan.ts'
import type { Companion } from '../../../lib/appliance/sizing/companions.ts'
import { capacityFor, tinyModel } from '../../support/capacity.ts'

const capacity = { ...capacityFor(tinyModel), notes: ['On the capacity.'] }
const pending = { model: tinyModel, url: 'https://mirror.example/tiny.gguf', circumstances: '{}' }
const rest = {
  endpoints: ['192.0.2.7'],
  notes: ['On TLS.'],
  hardware: ['No AVX2.'],
  cacheSharing: 'separate' as const,
  companions: [],
}
const noted = ['On the capacity.', 'On TLS.']

it.each<[ModelChoice, { state: string; notes: string[]; isPending: boolean }]>([
  [
    { state: 'serving', model: tinyModel },
    { state: 'serving', notes: noted, isPending: false },
  ],
  [
    { state: 'serving', model: tinyModel, pending, note: 'Another one serves.' },
    { state: 'serving', notes: [...noted, 'Another one serves.'], isPending: true },
  ],
  [
    { state: 'waiting', model: tinyModel, pending, reason: 'It is being downloaded.' },
    { state: 'waiting', notes: [...noted, 'It is being downloaded.'], isPending: true },
  ],
  [
    { state: 'unavailable', model: tinyModel, reason: 'It crashed.', fix: 'Try again.' },
    { state: 'unavailable', notes: [...noted, 'It crashed. Try again.'], isPending: false },
  ],
])('after the choice %j', (choice, { state, notes, isPending }) => {
  const plan = planFor(choice, capacity, rest)
  expect(plan).toMatchObject({
    state,
    endpoints: rest.endpoints,
    hardware: rest.hardware,
    cacheSharing: 'separate',
  })
  expect(planNotes(plan)).toEqual(notes)
  expect(describedCapacity(plan)).toEqual(capacity)
  expect(pendingOf(plan)).toEqual(isPending ? pending : undefined)
  if (!('capacity' in plan)) expect(unavailability(plan)).toBe(notes.at(-1))
  // Later stages read it from its file.
  expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(JSON.parse(JSON.stringify(plan)))
})

it('knows which services beside chat are installed, and which are to be downloaded', () => {
  const companion = (name: keyof typeof companionCatalogue, isInstalled: boolean) =>
    ({ capacity: { model: companionCatalogue[name] }, url: '', isInstalled }) as Companion
  const [coder, vectors] = [
    companion('qwen2.5-coder-1.5b', true),
    companion('qwen3-embedding-0.6b', false),
  ] as const
  const plan = planFor({ state: 'serving', model: tinyModel }, capacity, {
    ...rest,
    companions: [coder, vectors],
  })
  expect(companionModels(plan)).toEqual([coder.capacity.model, vectors.capacity.model])
  expect(pendingCompanions(plan)).toEqual([vectors])
  expect(installedServices(plan)).toEqual({ completion: 'qwen2.5-coder-1.5b' })
})
