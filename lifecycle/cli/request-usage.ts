/** `slm-copilot usage`: requests by day and key, from the request log and its rotated files. Changes nothing. */
import { usageOf } from '../../lib/appliance/usage/usage.ts'
import { usageText } from '../../lib/render/text/usage.ts'
import { requestsSince } from '../../lib/steps/usage/request-log.ts'
import type { Host } from '../../lib/system/host.ts'
import { wrong } from './sizes.ts'

const units = { h: 3_600_000, d: 86_400_000 }

const takes = 'a date such as 2026-02-14, or a duration such as 24h or 30d'

/** Parses `2026-02-14` (its beginning in the machine's time zone), `24h` or `30d`. */
function sinceFrom(text: string, now: Date): Date {
  const [, number, unit] = /^(\d{1,4})(h|d)$/.exec(text) ?? []
  if (unit !== undefined) return new Date(now.getTime() - Number(number) * units[unit as keyof typeof units])
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00`) : new Date(Number.NaN)
  return Number.isNaN(date.getTime()) ? wrong('since', text, takes) : date
}

/** The output as text or JSON. Throws a UsageError if `since` is neither a date nor a duration. */
export async function requestUsage(host: Host, since = '7d', asJson = false): Promise<string> {
  const from = sinceFrom(since, host.now())
  const rows = await usageOf(requestsSince(host, from))
  if (!asJson) return usageText(rows, from)
  return `${JSON.stringify({ since: from.toISOString(), until: host.now().toISOString(), usage: rows }, null, 2)}\n`
}
