/** Capacities and plans for tests. */

import type { Model } from '../../lib/appliance/models/catalogue.ts'
import type { Plan, ServingPlan } from '../../lib/appliance/plan.ts'
import { type Capacity, type CapacityRequest, planCapacity } from '../../lib/appliance/sizing/capacity.ts'
import { GiB } from '../../lib/appliance/sizing/memory.ts'

/** A model small enough to fit into any VM. */
export const tinyModel: Model = {
  name: 'tiny',
  url: 'https://models.example.com/tiny.gguf',
  size: 9_000_000,
  sha256: '0'.repeat(64),
  contextLimit: 131_072,
  geometry: {
    layers: 2,
    kvHeads: 1,
    headSize: 32,
    queries: 64,
    embedding: 64,
    feedForward: 64,
    vocabulary: 32_000,
    merges: 0,
    repackable: 0,
    amx: { source: 0, copies: 0 },
    active: 4_000_000,
    activeParameters: 2_000_000,
  },
}

/** The capacity on a machine with enough memory. */
export const capacityFor = (model: Model, asked: Partial<CapacityRequest> = {}): Capacity =>
  planCapacity({ cpus: 8, physicalCores: 4, memory: 128 * GiB }, model, {
    contextSize: 32_768,
    parallel: 2,
    threads: 0,
    ...asked,
  })

/** The plan of an appliance that is serving with this capacity. */
export const servingPlan = (capacity: Capacity): ServingPlan => ({
  state: 'serving',
  capacity,
  endpoints: ['192.0.2.7'],
  notes: [],
  hardware: [],
  cacheSharing: 'one-key',
  companions: [],
})

/** The plans of an appliance on which no model is running yet, with this capacity planned. */
export function idlePlans(intended: Capacity): Plan[] {
  const { endpoints, notes, hardware, cacheSharing, companions } = servingPlan(intended)
  const rest = { endpoints, notes, hardware, cacheSharing, companions }
  const download = { url: intended.model.url, circumstances: '' }
  return [
    { state: 'waiting', intended, download, reason: 'It is being downloaded.', ...rest },
    { state: 'unavailable', intended, reason: 'It fell over.', fix: 'Try again.', ...rest },
  ]
}
