/** Counting requests for the metrics, and what Prometheus is shown of it. */
import { expect, it } from 'vitest'
import { counted, countersSchema, noCounts } from '../../../../lib/appliance/metrics/counters.ts'
import { type LoggedRequest, parseRequest } from '../../../../lib/appliance/usage/requests.ts'
import { type MetricFacts, metricsText } from '../../../../lib/render/metrics/metrics.ts'
import { textLine } from '../../../support/request-lines.ts'

const request = (changes: Parameters<typeof textLine>[0]) => parseRequest(textLine(changes)) as LoggedRequest
const requests = [
  request({ first_byte: 0.25, total: 2 }),
  request({ first_byte: 45, total: 50.25 }),
  request({ first_byte: 4000, total: 5000, tenant: 'bob' }),
  // An answer that failed: no wait for a first token.
  request({ status: 502, first_byte: 3, total: 3, tenant: 'dave' }),
  // A completion: its wait is of another kind.
  request({ path: '/infill', first_byte: 0.2, total: 0.3, tenant: 'carol' }),
  request({ path: '/v1/models', method: 'GET' }),
  request({ status: 429, limit: 'slots', total: 0, first_byte: undefined }),
  request({ status: 429, limit: 'requests', total: 0, first_byte: undefined }),
  request({ status: 401, tenant: '-', total: 0, first_byte: undefined }),
  request({ status: 405, method: 'GET', path: 'other', total: 0 }),
]

const facts: MetricFacts = {
  now: new Date('2026-02-14T10:00:00Z'),
  version: '1.2.3',
  llamaCpp: 'v0.5.0',
  served: undefined,
  companions: [],
  isServing: true,
  memoryUsed: undefined,
  certificateEnd: undefined,
  smokeTestPassed: undefined,
  pending: undefined,
  counters: noCounts(),
}

const linesOf = (text: string) => text.split('\n').filter(line => line !== '' && !line.startsWith('#'))

it('has what is known of requests', () => {
  const lines = linesOf(metricsText({ ...facts, counters: counted(noCounts(), requests) }))
  for (const line of [
    'slm_copilot_requests_total{tenant="alice",path="/v1/chat/completions",status="200"} 2',
    'slm_copilot_requests_total{tenant="alice",path="/v1/chat/completions",status="429"} 2',
    'slm_copilot_requests_total{tenant="-",path="/v1/chat/completions",status="401"} 1',
    'slm_copilot_requests_total{tenant="alice",path="other",status="405"} 1',
    'slm_copilot_request_seconds_total{tenant="alice",path="/v1/chat/completions"} 52.25',
    'slm_copilot_generations_admitted_total{tenant="alice"} 2',
    'slm_copilot_generations_admitted_total{tenant="bob"} 1',
    'slm_copilot_request_seconds_total{tenant="carol",path="/infill"} 0.3',
    'slm_copilot_refused_total{tenant="alice",limit="slots"} 1',
    'slm_copilot_refused_total{tenant="alice",limit="requests"} 1',
    'slm_copilot_first_byte_seconds_bucket{le="0.1"} 0',
    'slm_copilot_first_byte_seconds_bucket{le="0.25"} 1',
    'slm_copilot_first_byte_seconds_bucket{le="60"} 2',
    'slm_copilot_first_byte_seconds_bucket{le="1800"} 2',
    'slm_copilot_first_byte_seconds_bucket{le="+Inf"} 3',
    'slm_copilot_first_byte_seconds_sum 4045.25',
    'slm_copilot_first_byte_seconds_count 3',
  ])
    expect(lines).toContain(line)
})

it('adds up, whether counted at once or one by one, and leaves the earlier counters alone', () => {
  const before = noCounts()
  const oneByOne = requests.reduce((counters, each) => counted(counters, [each]), before)
  expect(oneByOne).toEqual(counted(before, requests))
  expect(before).toEqual(noCounts())
  expect(countersSchema.parse(JSON.parse(JSON.stringify(oneByOne)))).toEqual(oneByOne)
})
