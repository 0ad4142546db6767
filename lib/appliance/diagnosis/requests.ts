/** Counts what clients were refused lately, from the access log. */
import { type Finding, ok, warning } from './finding.ts'

/** Statuses that tell of a refusal, and what each means. */
const refusals: Record<string, string> = {
  401: 'without a valid key',
  413: 'with a body too large for the context',
  429: 'while all slots were busy',
  500: 'that failed inside llama-server',
  502: 'while llama-server was down',
  503: 'while the model was loading',
  504: 'that took longer than their time limit',
}

const hour = 3_600_000

/** The address from which the appliance tests itself. */
const itself = '127.0.0.1'

/**
 * The number of clients' requests in the hour before `now`, and of the refused ones by status. `log`: lines of the edge
 * proxy's access log.
 */
export function countRefusals(log: string, now: Date): { total: number; refused: Map<string, number> } {
  const refused = new Map<string, number>()
  let total = 0
  for (const line of log.split('\n')) {
    const [, at, status] = /\[([^\]]+)\] "[^"]*" (\d{3}) /.exec(line) ?? []
    if (line.startsWith(`${itself} `)) continue
    if (at === undefined || status === undefined || !(Date.parse(at) > now.getTime() - hour)) continue
    total += 1
    if (status in refusals) refused.set(status, (refused.get(status) ?? 0) + 1)
  }
  return { total, refused }
}

export function refusalsFinding(log: string, now: Date): Finding {
  const { total, refused } = countRefusals(log, now)
  if (refused.size === 0) return ok(`none among ${total} requests`)
  const counts = [...refused].sort().map(([status, count]) => `${count} × ${status} (${refusals[status]})`)
  return warning(
    `among ${total} requests: ${counts.join(', ')}`,
    'README, "Troubleshooting", by the status that clients show',
  )
}
