/** A copilot's load, as it is published at OneGate for routers and for OneFlow's elasticity policies. */
import * as z from 'zod'
import type { RequestCount } from '../metrics/counters.ts'
import { loadNames } from './attributes.ts'

/**
 * What was last published, so that the same is not published again: each update is a write to OpenNebula's
 * database.
 */
export const publishedLoadSchema = z.strictObject({
  attributes: z.record(z.enum(Object.values(loadNames)), z.string()),
  /** Requests refused since boot, as counted then. */
  refused: z.int(),
})

export type PublishedLoad = z.infer<typeof publishedLoadSchema>

/** `running`: requests that llama-server is answering. */
export type LoadFacts = { running: number; slots: number; refused: number }

/** Requests refused because all slots were busy, since boot. */
export const refusedForSlots = (counts: RequestCount[]): number =>
  counts.filter(({ limit }) => limit === 'slots').reduce((sum, { requests }) => sum + requests, 0)

/** The load now; `refused` since the last publication, 0 if there was none. */
export function loadOf(
  { running, slots, refused }: LoadFacts,
  before: PublishedLoad | undefined,
): PublishedLoad {
  const busy = Math.min(running, slots)
  return {
    attributes: {
      [loadNames.busySlots]: String(busy),
      [loadNames.busyPercent]: String(Math.round((100 * busy) / slots)),
      [loadNames.refused]: String(before === undefined ? 0 : Math.max(0, refused - before.refused)),
    },
    refused,
  }
}
