/** What Prometheus is shown of the appliance, and of the requests that were counted. */
import { expect, it } from 'vitest'
import { firstByteBounds, noCounts, type RequestCount } from '../../../../lib/appliance/metrics/counters.ts'
import { metric } from '../../../../lib/render/metrics/exposition.ts'
import { type MetricFacts, metricsText } from '../../../../lib/render/metrics/metrics.ts'
import { metricsIn } from '../../../support/exposition.ts'

const count = (changes: Partial<RequestCount>): RequestCount => ({
  tenant: 'alice',
  path: '/v1/chat/completions',
  status: 200,
  limit: '',
  isGeneration: true,
  requests: 1,
  seconds: 0,
  ...changes,
})

const facts: MetricFacts = {
  now: new Date('2026-02-14T10:00:00Z'),
  version: '1.2.3',
  llamaCpp: 'v0.5.0',
  served: { model: 'tiny', slots: 2, contextSize: 4096, memory: 1000 },
  companions: [
    { service: 'completion', model: 'coder', isActive: true },
    { service: 'embeddings', model: 'vectors', isActive: false },
  ],
  isServing: true,
  memoryUsed: 900,
  certificateEnd: new Date('2027-02-14T10:00:00.900Z'),
  smokeTestPassed: new Date('2026-02-14T09:00:00Z'),
  pending: { model: 'other', done: 0.25 },
  counters: {
    requests: [
      count({ requests: 10, seconds: 20.1 }),
      count({ path: '/v1/messages', requests: 5, seconds: 10.2 }),
      count({ path: '/v1/messages', status: 400, seconds: 0.1 }),
      count({ tenant: 'bob', requests: 3, seconds: 6 }),
      count({ tenant: 'bob', path: '/v1/models', isGeneration: false, requests: 2 }),
      count({ status: 429, limit: 'slots', requests: 4 }),
      count({ status: 429, limit: 'key', requests: 2 }),
      count({ status: 429, limit: '', requests: 1 }),
      count({ tenant: '-', status: 401, requests: 7 }),
    ],
    firstByte: { buckets: firstByteBounds.map((_, index) => index), sum: 0.1 + 0.2, count: 20 },
  },
}

/** Of the metrics about requests, the samples without the part of the name that all have. */
const samplesOf = (name: string) =>
  metricsIn(metricsText(facts))[`slm_copilot_${name}`]?.samples.map(line => line.slice('slm_copilot_'.length))

it.each([
  ['build_info', 'gauge', '{version="1.2.3",llama_cpp="v0.5.0",model="tiny"} 1'],
  ['serving', 'gauge', ' 1'],
  ['slots', 'gauge', ' 2'],
  ['context_tokens', 'gauge', ' 4096'],
  ['memory_planned_bytes', 'gauge', ' 1000'],
  ['memory_used_bytes', 'gauge', ' 900'],
  ['certificate_end_timestamp_seconds', 'gauge', ' 1802599200'],
  ['smoke_test_passed_timestamp_seconds', 'gauge', ' 1771059600'],
  ['model_pending', 'gauge', '{model="other"} 1'],
  ['model_pending_ratio', 'gauge', ' 0.25'],
  ['metrics_written_timestamp_seconds', 'gauge', ' 1771063200'],
])('the appliance: slm_copilot_%s, a %s, is%s', (name, type, sample) => {
  const full = `slm_copilot_${name}`
  expect(metricsIn(metricsText(facts))[full]).toEqual({ type, samples: [full + sample] })
})

it('has whether each service beside chat runs', () => {
  expect(samplesOf('service_up')).toEqual([
    'service_up{service="completion",model="coder"} 1',
    'service_up{service="embeddings",model="vectors"} 0',
  ])
})

it('has the requests of each key, by path and status', () => {
  expect(samplesOf('requests_total')).toEqual([
    'requests_total{tenant="alice",path="/v1/chat/completions",status="200"} 10',
    'requests_total{tenant="alice",path="/v1/messages",status="200"} 5',
    'requests_total{tenant="alice",path="/v1/messages",status="400"} 1',
    'requests_total{tenant="bob",path="/v1/chat/completions",status="200"} 3',
    'requests_total{tenant="bob",path="/v1/models",status="200"} 2',
    'requests_total{tenant="alice",path="/v1/chat/completions",status="429"} 7',
    'requests_total{tenant="-",path="/v1/chat/completions",status="401"} 7',
  ])
  expect(samplesOf('request_seconds_total')).toEqual([
    'request_seconds_total{tenant="alice",path="/v1/chat/completions"} 20.1',
    'request_seconds_total{tenant="alice",path="/v1/messages"} 10.3',
    'request_seconds_total{tenant="bob",path="/v1/chat/completions"} 6',
    'request_seconds_total{tenant="bob",path="/v1/models"} 0',
    'request_seconds_total{tenant="-",path="/v1/chat/completions"} 0',
  ])
})

it('has the generations that were admitted: neither refused, nor without a key', () => {
  expect(samplesOf('generations_admitted_total')).toEqual([
    'generations_admitted_total{tenant="alice"} 16',
    'generations_admitted_total{tenant="bob"} 3',
  ])
})

it('has what was refused, by the limit', () => {
  expect(samplesOf('refused_total')).toEqual([
    'refused_total{tenant="alice",limit="slots"} 4',
    'refused_total{tenant="alice",limit="key"} 2',
    'refused_total{tenant="alice",limit="other"} 1',
  ])
})

it('has a histogram of the seconds until the first byte', () => {
  expect(samplesOf('first_byte_seconds')).toEqual([
    ...firstByteBounds.map((bound, index) => `first_byte_seconds_bucket{le="${bound}"} ${index}`),
    'first_byte_seconds_bucket{le="+Inf"} 20',
    'first_byte_seconds_sum 0.3',
    'first_byte_seconds_count 20',
  ])
})

it('has the types that Prometheus expects of names', () => {
  for (const [name, { type }] of Object.entries(metricsIn(metricsText(facts))))
    expect([name, type]).toEqual([
      name,
      name.endsWith('_total') ? 'counter' : name.endsWith('first_byte_seconds') ? 'histogram' : 'gauge',
    ])
})

it('leaves out what is not known, with its description', () => {
  const unknown = {
    served: undefined,
    companions: [],
    memoryUsed: undefined,
    certificateEnd: undefined,
    smokeTestPassed: undefined,
    pending: undefined,
  }
  const found = metricsIn(metricsText({ ...facts, ...unknown, isServing: false, counters: noCounts() }))
  expect(Object.keys(found).map(name => name.slice('slm_copilot_'.length))).toEqual([
    'build_info',
    'serving',
    'first_byte_seconds',
    'metrics_written_timestamp_seconds',
  ])
  expect(found.slm_copilot_serving?.samples).toEqual(['slm_copilot_serving 0'])
  expect(found.slm_copilot_build_info?.samples).toEqual([
    'slm_copilot_build_info{version="1.2.3",llama_cpp="v0.5.0",model=""} 1',
  ])
})

it('leaves out how much of a pending model is done if that is not known', () => {
  const found = metricsIn(metricsText({ ...facts, pending: { model: 'other', done: undefined } }))
  expect(found.slm_copilot_model_pending?.samples).toEqual(['slm_copilot_model_pending{model="other"} 1'])
  expect(found).not.toHaveProperty('slm_copilot_model_pending_ratio')
})

it.each([
  ['a"b', 'a\\"b'],
  ['a\\b', 'a\\\\b'],
  ['a\nb', 'a\\nb'],
  ['a\\n"b"\n', 'a\\\\n\\"b\\"\\n'],
  ["a'b{c},=é", "a'b{c},=é"],
])('writes the label %j as %s', (value, written) => {
  expect(metric('m', 'gauge', 'A metric.', [{ labels: { x: value, y: 1 }, value: 2 }])).toBe(
    `# HELP m A metric.\n# TYPE m gauge\nm{x="${written}",y="1"} 2\n`,
  )
})
