/** What a router tells clients to expect of its fleet, in the form of a plan for one VM. */
import type { Context } from '../context/context.ts'
import type { Model } from '../models/catalogue.ts'
import type { Capacity } from '../sizing/capacity.ts'
import { batchSize, mostParallel, usefulContext } from '../sizing/limits.ts'
import { GiB } from '../sizing/memory.ts'

/** No memory is planned for a model: a router holds only requests' bodies, up to the limit of the largest VM. */
export const routerCapacity = (model: Model, { contextSize }: Pick<Context, 'contextSize'>): Capacity => ({
  model,
  contextSize: Math.min(contextSize === 'auto' ? usefulContext : contextSize, model.contextLimit),
  slots: mostParallel + 1,
  kvType: 'f16',
  threads: 1,
  batchSize,
  memory: {
    mapped: 0,
    repacked: 0,
    kvCache: 0,
    compute: 0,
    process: 0,
    checkpoints: 0,
    promptCache: 0,
    system: 0,
  },
  memoryLimit: 8 * GiB,
  notes: [],
})
