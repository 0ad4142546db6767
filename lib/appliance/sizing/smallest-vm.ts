/** The smallest VM that a request fits into, and the memory that a VM's kernel leaves. */
import type { Model } from '../models/catalogue.ts'
import { usefulContext } from './limits.ts'
import { type Machine, packsForAmx } from './machine.ts'
import { GiB, MiB } from './memory.ts'
import { memoryBudget, type SizingRequest } from './search.ts'

/** Bytes that a VM's kernel can allocate: without page descriptors (64 bytes per 4 KiB) and its own code. */
export const memoryInVm = (memory: number) => memory - Math.ceil(memory / 64) - 128 * MiB

/**
 * Bytes of memory, in whole GiB, of the smallest VM that fits the full request; `auto`: a useful context, one
 * slot. `kind`: the machine's CPU.
 */
export function smallestVm(
  model: Model,
  request: SizingRequest,
  kind: Pick<Machine, 'cpu' | 'reserved'> = {},
): number {
  const contextSize = Math.min(
    request.contextSize === 'auto' ? usefulContext : request.contextSize,
    model.contextLimit,
  )
  const slots = request.parallel === 'auto' ? 1 : request.parallel
  const holds = (memory: number) =>
    memoryBudget(memoryInVm(memory), packsForAmx(kind), model, { reserved: kind.reserved }).fits({
      contextSize,
      slots,
      kvType: 'q8_0',
    })
  // By bisection: some headers claim a context that no machine has memory for.
  let above = 1
  while (!holds(above * GiB)) above *= 2
  let below = Math.floor(above / 2)
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2)
    if (holds(middle * GiB)) above = middle
    else below = middle
  }
  return above * GiB
}
