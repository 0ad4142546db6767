/** What nginx adds to the metrics at the moment of a scrape, by who answers. */
import { expect, it } from 'vitest'
import { metricsPage, type Scraped } from '../../../lib/edge/metrics.ts'
import { metricsIn } from '../../support/exposition.ts'

/** As ngx_http_stub_status_module writes it. */
const statusPage = (writing: number) =>
  `Active connections: 12 \nserver accepts handled requests\n 345 344 678 \nReading: 1 Writing: ${writing} Waiting: 9 \n`

const written = '# HELP written A metric.\n# TYPE written gauge\nwritten 1\n'
const llama =
  '# HELP llamacpp:requests_deferred Waiting.\n# TYPE llamacpp:requests_deferred gauge\n' +
  'llamacpp:requests_deferred 8\n' +
  '# HELP llamacpp:requests_processing In progress.\n# TYPE llamacpp:requests_processing gauge\n' +
  'llamacpp:requests_processing 12\n'

const all: Scraped = {
  written,
  edge: statusPage(2),
  admission: statusPage(4),
  health: '{"status":"ok"}',
  llama,
  slots: 20,
  hidesCounts: false,
}

/** The page's own metrics, `name value`. */
const samplesOf = (scraped: Scraped) =>
  Object.values(metricsIn(metricsPage({ ...scraped, written: '' }).replace(scraped.llama ?? '', ''))).flatMap(
    ({ samples }) => samples,
  )

const connections = [
  'nginx_up 1',
  'nginx_connections_active 12',
  'nginx_connections_accepted 345',
  'nginx_connections_handled 344',
  'nginx_http_requests_total 678',
  'nginx_connections_reading 1',
  'nginx_connections_writing 2',
  'nginx_connections_waiting 9',
]
const admission = ['slm_copilot_admission_up 1', 'slm_copilot_slots_busy 12']
const up = ['slm_copilot_llama_up 1', 'slm_copilot_llama_metrics_up 1']

it.each<[string, Partial<Scraped>, string[]]>([
  ['everything answers', {}, [...connections, ...admission, ...up]],
  ['nginx does not give its status', { edge: undefined }, ['nginx_up 0', ...admission, ...up]],
  ['nginx answers with something else', { edge: '<html>' }, ['nginx_up 0', ...admission, ...up]],
  [
    'the admission proxy does not answer',
    { admission: undefined },
    [...connections, 'slm_copilot_admission_up 0', ...up],
  ],
  [
    'a batch keeps llama-server from giving its metrics: its requests as the admission proxy counts them',
    { llama: undefined },
    [
      ...connections,
      'slm_copilot_admission_up 1',
      'slm_copilot_slots_busy 3',
      'slm_copilot_llama_up 1',
      'slm_copilot_llama_metrics_up 0',
    ],
  ],
  [
    'more are admitted than there are slots, some of other services',
    { llama: undefined, slots: 2 },
    [
      ...connections,
      'slm_copilot_admission_up 1',
      'slm_copilot_slots_busy 2',
      'slm_copilot_llama_up 1',
      'slm_copilot_llama_metrics_up 0',
    ],
  ],
  [
    'llama-server loads its model',
    { health: undefined },
    [...connections, ...admission, 'slm_copilot_llama_up 0', 'slm_copilot_llama_metrics_up 1'],
  ],
])('%s', (_, changes, samples) => {
  expect(samplesOf({ ...all, ...changes })).toEqual(samples)
})

it("begins with what the timer has written, and ends with llama-server's own", () => {
  const page = metricsPage(all)
  expect(page.startsWith(`${written}# HELP nginx_up `)).toBe(true)
  expect(page.endsWith(`\nslm_copilot_llama_metrics_up 1\n${llama}`)).toBe(true)
})

it.each([
  ['a number of another metric', 'x_llamacpp:requests_processing 7\n', 3],
  ['the only line', 'llamacpp:requests_processing 7\n', 7],
  ['no number', 'llamacpp:requests_processing nan\n', 3],
])("llama-server's count of requests in progress: %s", (_, text, busy) => {
  expect(samplesOf({ ...all, llama: text })).toContain(`slm_copilot_slots_busy ${busy}`)
})

it('has counters for what only grows', () => {
  const page = metricsIn(metricsPage({ ...all, llama: undefined }))
  const counters = Object.entries(page).filter(([, { type }]) => type === 'counter')
  expect(counters.map(([name]) => name)).toEqual([
    'nginx_connections_accepted',
    'nginx_connections_handled',
    'nginx_http_requests_total',
  ])
})

it("says nothing of what was cached if keys share a cache: each of them opens the page before and after another's prompt", () => {
  const prompts = [
    'prompt_tokens_total',
    'prompt_tokens_cached_total',
    'prompt_seconds_total',
    'prompt_tokens_seconds',
    'n_decode_total',
    'n_busy_slots_per_decode',
  ]
  const others = ['tokens_predicted_total', 'tokens_predicted_seconds_total', 'requests_processing']
  const text = [...prompts, ...others]
    .map(name => `# HELP llamacpp:${name} A metric.\n# TYPE llamacpp:${name} counter\nllamacpp:${name} 7\n`)
    .join('')
  const namesIn = (hidesCounts: boolean) =>
    [...metricsPage({ ...all, llama: text, hidesCounts }).matchAll(/llamacpp:(\w+)/g)].map(([, name]) => name)
  const thrice = (names: string[]) => names.flatMap(name => [name, name, name])
  expect(namesIn(false)).toEqual(thrice([...prompts, ...others]))
  expect(namesIn(true)).toEqual(thrice(others))
})
