/** Counts what clients were refused lately, from the request log. */

import type { LoggedRequest } from '../usage/requests.ts'
import { type Finding, ok, warning } from './finding.ts'

/** Statuses that tell of a refusal, and what each means. */
const refusals: Record<number, string> = {
  401: 'without a valid key',
  413: 'with a body too large for the context',
  429: 'while all slots were busy, or its key had too many in progress',
  500: 'that failed inside llama-server',
  502: 'while llama-server was down',
  503: 'while the model was not available',
  504: 'that took longer than their time limit',
}

/** The number of requests, and of the refused ones by status. */
export function countRefusals(requests: Pick<LoggedRequest, 'status'>[]): {
  total: number
  refused: Map<number, number>
} {
  const refused = new Map<number, number>()
  for (const { status } of requests)
    if (status in refusals) refused.set(status, (refused.get(status) ?? 0) + 1)
  return { total: requests.length, refused }
}

export function refusalsFinding(requests: Pick<LoggedRequest, 'status'>[]): Finding {
  const { total, refused } = countRefusals(requests)
  if (refused.size === 0) return ok(`none among ${total} requests`)
  const counts = [...refused]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${count} × ${status} (${refusals[status]})`)
  return warning(
    `among ${total} requests: ${counts.join(', ')}`,
    'See Troubleshooting in README.md, by the status that clients show.',
  )
}
