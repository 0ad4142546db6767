/** Metrics that nginx knows at the moment of a scrape, added to those that a timer has written. Pure. */

/** An answer to one of the scrape's own requests; undefined if there was none in time. */
type ScrapeReply = string | undefined

export type Scraped = {
  /** What the timer has written; empty before its first run. */
  written: string
  /** The status pages of the edge proxy and of the admission proxy (ngx_http_stub_status_module). */
  edge: ScrapeReply
  admission: ScrapeReply
  /** llama-server's health, which it always answers, and its metrics, for which a batch makes it wait. */
  health: ScrapeReply
  llama: ScrapeReply
  slots: number
}

const gauge = (name: string, help: string, value: number | string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`
const counter = (name: string, help: string, value: string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} counter\n${name} ${value}\n`

const statusPage =
  /Active connections: (\d+)\s[^0-9]*(\d+) (\d+) (\d+)\s+Reading: (\d+) Writing: (\d+) Waiting: (\d+)/

/** nginx's connections, under the names that its own exporter uses. */
function connections(page: ScrapeReply): string {
  const found = statusPage.exec(page ?? '')
  if (found === null) return gauge('nginx_up', 'Whether nginx gave its status.', 0)
  const values = found as unknown as string[]
  return [
    gauge('nginx_up', 'Whether nginx gave its status.', 1),
    gauge('nginx_connections_active', 'Connections of clients.', values[1] as string),
    counter('nginx_connections_accepted', 'Connections accepted.', values[2] as string),
    counter('nginx_connections_handled', 'Connections handled.', values[3] as string),
    counter(
      'nginx_http_requests_total',
      'Requests of any kind, also those that are not logged.',
      values[4] as string,
    ),
    gauge('nginx_connections_reading', 'Connections whose request is being read.', values[5] as string),
    gauge('nginx_connections_writing', 'Connections that are being answered.', values[6] as string),
    gauge('nginx_connections_waiting', 'Idle connections.', values[7] as string),
  ].join('')
}

/** Requests that the admission proxy has let through: generations, and briefly token counts. One more asks for the page. */
function admitted(page: ScrapeReply, slots: number): string {
  const found = statusPage.exec(page ?? '')
  const up = gauge(
    'slm_copilot_admission_up',
    'Whether the admission proxy answered.',
    found === null ? 0 : 1,
  )
  if (found === null) return up
  const others = Math.max(0, Number(found[6]) - 1)
  return up + gauge('slm_copilot_slots_busy', 'Slots that are taken.', Math.min(others, slots))
}

const up = (reply: ScrapeReply) => (reply === undefined ? 0 : 1)

/** The whole page. */
export const metricsPage = (scraped: Scraped): string =>
  [
    scraped.written,
    connections(scraped.edge),
    admitted(scraped.admission, scraped.slots),
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
    scraped.llama ?? '',
  ].join('')
