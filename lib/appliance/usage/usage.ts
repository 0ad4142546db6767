/** Who used the appliance how much: requests counted by day and key. */
import { routes } from '../requests/api.ts'
import type { LoggedRequest } from './requests.ts'

export type Usage = {
  /** The VM's date, `2026-02-14`. */
  day: string
  /** The name of the key; null: requests without a valid one. */
  key: string | null
  /** With any outcome. */
  requests: number
  /** Those that llama-server answered with text, and the seconds that these took. */
  generations: number
  generationSeconds: number
  /** Rejected because of a limit (429). */
  refused: number
  /** Failed in the appliance (5xx). */
  failed: number
  /** Without a valid key (401). Beyond a rate of a few per minute and address they are not recorded. */
  wrongKeys: number
}

const generationPaths = new Set(routes.filter(({ isGeneration }) => isGeneration).map(({ path }) => path))

/** Whether a request took a slot, had it been admitted. */
export const isGeneration = ({ method, path }: Pick<LoggedRequest, 'method' | 'path'>) =>
  method === 'POST' && generationPaths.has(path)

const none = { requests: 0, generations: 0, generationSeconds: 0, refused: 0, failed: 0, wrongKeys: 0 }

function count(usage: Usage, request: LoggedRequest): void {
  usage.requests += 1
  if (request.status === 200 && isGeneration(request)) {
    usage.generations += 1
    usage.generationSeconds += request.total
  }
  if (request.status === 429) usage.refused += 1
  if (request.status >= 500) usage.failed += 1
  if (request.status === 401) usage.wrongKeys += 1
}

/** By day, then by key; requests without a key last. */
const byDayAndKey = (a: Usage, b: Usage) =>
  a.day.localeCompare(b.day) ||
  Number(a.key === null) - Number(b.key === null) ||
  (a.key ?? '').localeCompare(b.key ?? '', 'en')

function rowOf(rows: Map<string, Usage>, { day, tenant }: LoggedRequest): Usage {
  const id = `${day} ${tenant ?? ''}`
  const found = rows.get(id)
  if (found !== undefined) return found
  const row = { day, key: tenant ?? null, ...none }
  rows.set(id, row)
  return row
}

/** One row for each day and key, in this order; days and keys without requests have none. */
export async function usageOf(requests: AsyncIterable<LoggedRequest[]>): Promise<Usage[]> {
  const rows = new Map<string, Usage>()
  for await (const some of requests) for (const request of some) count(rowOf(rows, request), request)
  return [...rows.values()]
    .map(row => ({ ...row, generationSeconds: Math.round(row.generationSeconds * 1000) / 1000 }))
    .toSorted(byDayAndKey)
}

/** The rows of all days together, one for each key. */
export function totalsOf(rows: Usage[]): Usage[] {
  const totals = new Map<Usage['key'], Usage>()
  for (const row of rows) {
    const total = totals.get(row.key) ?? { day: 'total', key: row.key, ...none }
    for (const field of Object.keys(none) as (keyof typeof none)[]) total[field] += row[field]
    totals.set(row.key, total)
  }
  return [...totals.values()].toSorted(byDayAndKey)
}
