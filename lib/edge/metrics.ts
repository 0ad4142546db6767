/** Metrics that nginx knows at the moment of a scrape, added to those that a timer has written. Pure. */

import { admittedRequests, parseStatusPage } from '../appliance/requests/status-page.ts'

/** An answer to one of the scrape's own requests; undefined if there was none in time. */
type ScrapeReply = string | undefined

export type Scraped = {
  /** What the timer has written; empty before its first run. */
  written: string
  /** The status pages of the edge proxy and of the admission proxy (ngx_http_stub_status_module). */
  edge: ScrapeReply
  admission: ScrapeReply
  /** llama-server's health, which it always answers, and its metrics, which it gives only between batches. */
  health: ScrapeReply
  llama: ScrapeReply
  slots: number
  /** Whether keys share a cache: the page, which each of them opens, must not reveal what was cached. */
  hidesCounts: boolean
}

const gauge = (name: string, help: string, value: number | string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`
const counter = (name: string, help: string, value: string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} counter\n${name} ${value}\n`

/** nginx's connections, under the names that its own exporter uses. */
function connections(page: ScrapeReply): string {
  const found = parseStatusPage(page ?? '')
  if (found === undefined) return gauge('nginx_up', 'Whether nginx gave its status.', 0)
  return [
    gauge('nginx_up', 'Whether nginx gave its status.', 1),
    gauge('nginx_connections_active', 'Connections of clients.', found.active),
    counter('nginx_connections_accepted', 'Connections accepted.', found.accepted),
    counter('nginx_connections_handled', 'Connections handled.', found.handled),
    counter(
      'nginx_http_requests_total',
      'Requests of any kind, also those that are not logged.',
      found.requests,
    ),
    gauge('nginx_connections_reading', 'Connections whose request is being read.', found.reading),
    gauge('nginx_connections_writing', 'Connections that are being answered.', found.writing),
    gauge('nginx_connections_waiting', 'Idle connections.', found.waiting),
  ].join('')
}

/**
 * llama-server's own count. While a batch keeps it from answering, the admission proxy's is used, in which requests to the
 * services beside chat count, too.
 */
const requestsOfChat = /^llamacpp:requests_processing (\d+)/m

function admitted(page: ScrapeReply, llama: ScrapeReply, slots: number): string {
  const found = parseStatusPage(page ?? '')
  const admissionUp = gauge(
    'slm_copilot_admission_up',
    'Whether the admission proxy answered.',
    found === undefined ? 0 : 1,
  )
  if (found === undefined) return admissionUp
  const own = requestsOfChat.exec(llama ?? '')
  const busy = Math.min(own === null ? admittedRequests(found) : Number(own[1]), slots)
  return admissionUp + gauge('slm_copilot_slots_busy', 'Slots that are taken.', busy)
}

const up = (reply: ScrapeReply) => (reply === undefined ? 0 : 1)

/** Tokens cached and computed, and their times and batches: what a request adds to these reveals how much was cached. */
const promptMetrics = /^(?:# (?:HELP|TYPE) )?llamacpp:(?:prompt_|n_decode_|n_busy_)[^\n]*\n/gm

/** The whole page. */
export const metricsPage = (scraped: Scraped): string =>
  [
    scraped.written,
    connections(scraped.edge),
    admitted(scraped.admission, scraped.llama, scraped.slots),
    gauge(
      'slm_copilot_llama_up',
      'Whether llama-server is healthy: it runs, and has loaded its model.',
      up(scraped.health),
    ),
    gauge(
      'slm_copilot_llama_metrics_up',
      "Whether llama-server's own metrics follow; 0 if it did not give them in time because of a batch in progress.",
      up(scraped.llama),
    ),
    scraped.hidesCounts ? (scraped.llama ?? '').replace(promptMetrics, '') : (scraped.llama ?? ''),
  ].join('')
