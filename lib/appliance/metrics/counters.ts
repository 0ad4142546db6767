/** Counts requests for the metrics: sums that only grow until the next boot, as Prometheus expects of counters. */
import * as z from 'zod'
import { requestLimits, unknown } from '../usage/log-format.ts'
import type { LoggedRequest } from '../usage/requests.ts'
import { isGeneration } from '../usage/usage.ts'

/**
 * Upper bounds of the histogram's buckets in seconds: a cached prompt takes well below one, an agent's first
 * minutes.
 */
export const firstByteBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800] as const

/** The requests with the same labels. Labels have few values: keys in the context, our own paths, statuses, limits. */
const countSchema = z.strictObject({
  tenant: z.string(),
  path: z.string(),
  status: z.number(),
  limit: z.enum(['', ...(Object.keys(requestLimits) as (keyof typeof requestLimits)[])]),
  isGeneration: z.boolean(),
  requests: z.number(),
  seconds: z.number(),
})
export type RequestCount = z.infer<typeof countSchema>

export const countersSchema = z.strictObject({
  /** How far the log has been counted. */
  position: z.strictObject({ inode: z.number(), offset: z.number() }).optional(),
  requests: z.array(countSchema),
  /** Of successful generations: how many took at most so long (cumulative), the sum of their seconds, their number. */
  firstByte: z.strictObject({
    buckets: z.array(z.number()).length(firstByteBounds.length),
    sum: z.number(),
    count: z.number(),
  }),
})
export type Counters = z.infer<typeof countersSchema>

export const noCounts = (): Counters => ({
  requests: [],
  firstByte: { buckets: firstByteBounds.map(() => 0), sum: 0, count: 0 },
})

type Labels = Pick<RequestCount, 'tenant' | 'path' | 'status' | 'limit' | 'isGeneration'>

const labelsOf = (request: LoggedRequest): Labels => ({
  tenant: request.tenant ?? unknown,
  path: request.path,
  status: request.status,
  limit: request.limit ?? '',
  isGeneration: isGeneration(request),
})

/** The counters with these requests added. */
export function counted(before: Counters, requests: LoggedRequest[]): Counters {
  const counts = new Map(before.requests.map(count => [idOf(count), { ...count }]))
  const firstByte = { ...before.firstByte, buckets: [...before.firstByte.buckets] }
  for (const request of requests) {
    const labels = labelsOf(request)
    const count = counts.get(idOf(labels)) ?? { ...labels, requests: 0, seconds: 0 }
    counts.set(idOf(labels), count)
    count.requests += 1
    count.seconds += request.total
    // A completion takes a tenth of a second: another kind of wait.
    const isAnswer = labels.isGeneration && request.path !== '/infill'
    if (isAnswer && request.status === 200 && request.firstByte !== undefined)
      observe(firstByte, request.firstByte)
  }
  return { ...before, requests: [...counts.values()], firstByte }
}

const idOf = ({ tenant, path, status, limit, isGeneration: takesSlot }: Labels) =>
  `${tenant} ${path} ${status} ${limit} ${takesSlot}`

function observe(histogram: Counters['firstByte'], seconds: number): void {
  histogram.sum += seconds
  histogram.count += 1
  firstByteBounds.forEach((bound, index) => {
    if (seconds <= bound) histogram.buckets[index] = (histogram.buckets[index] ?? 0) + 1
  })
}
