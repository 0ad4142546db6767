/** Compares the memory use of the running llama-server with the plan. */

import { units } from '../../appliance/paths.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { anonymousOf, gibibytes } from '../../appliance/sizing/memory.ts'
import type { Host } from '../../system/host.ts'
import { type ResidentSet, residentSetOf } from '../../system/processes.ts'
import { unitStatus } from '../../system/systemd.ts'

/** Planned bytes of anonymous memory: before and after the first long prompts. */
const planned = ({ memory }: Capacity) => ({
  least: anonymousOf(memory) - memory.compute,
  most: anonymousOf(memory) + memory.checkpoints + memory.promptCache,
})

/** Planned bytes of anonymous memory at most. */
export const mostPlanned = (capacity: Capacity): number => planned(capacity).most

/** llama-server's resident memory. Throws if it is not running. */
export async function measuredMemory(host: Host): Promise<ResidentSet> {
  const { mainPid } = await unitStatus(host, units.llama)
  const measured = residentSetOf(host, mainPid)
  if (measured === undefined)
    throw new Error(`${units.llama} is not running. For the reason: systemctl status ${units.llama}`)
  return measured
}

/**
 * Whether it uses no more than planned, with a tolerance of 5 %, the planned bytes, and a sentence with the
 * figures.
 */
export function comparedMemory(capacity: Capacity, { anonymous, file }: ResidentSet) {
  const { least, most } = planned(capacity)
  const isWithin = anonymous <= most * 1.05
  const text =
    `llama-server uses ${gibibytes(anonymous)} of anonymous memory, planned: ${gibibytes(least)} after the start, ` +
    `${gibibytes(most)} at most; and ${gibibytes(file)} of files mapped.`
  return { isWithin, least, most, text: isWithin ? text : `${text} That is more than planned.` }
}
