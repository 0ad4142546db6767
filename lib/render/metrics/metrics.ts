/** The appliance's own metrics, as a timer writes them; nginx adds what it knows at the moment of a scrape. */
import { type Counters, firstByteBounds, type RequestCount } from '../../appliance/metrics/counters.ts'
import { metric, type Sample } from './exposition.ts'

export type MetricFacts = {
  now: Date
  version: string
  llamaCpp: string
  /** The plan's model, slots, context in tokens, and bytes of anonymous memory at most; undefined if none is served. */
  served: { model: string; slots: number; contextSize: number; memory: number } | undefined
  /** The services beside chat that are installed, and whether each runs. */
  companions: { service: string; model: string; isActive: boolean }[]
  /** Whether clients are served, as far as the watchdog and the stages know. */
  isServing: boolean
  /** llama-server's anonymous memory in bytes. */
  memoryUsed: number | undefined
  certificateEnd: Date | undefined
  smokeTestPassed: Date | undefined
  /** The model being downloaded or verified, and how much of it is done, from 0 to 1. */
  pending: { model: string; done: number | undefined } | undefined
  counters: Counters
}

const seconds = (date: Date) => Math.floor(date.getTime() / 1000)
const one = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ value }])
const rounded = (value: number) => Math.round(value * 1000) / 1000

/** Sums up counts that have the same labels. */
function summed(
  counts: RequestCount[],
  labelsOf: (count: RequestCount) => Record<string, string | number>,
  amountOf: (count: RequestCount) => number,
): Sample[] {
  const sums = new Map<string, { labels: Record<string, string | number>; value: number }>()
  for (const count of counts) {
    const labels = labelsOf(count)
    const id = JSON.stringify(labels)
    const sum = sums.get(id) ?? { labels, value: 0 }
    sum.value = rounded(sum.value + amountOf(count))
    sums.set(id, sum)
  }
  return [...sums.values()]
}

function requestMetrics({ requests, firstByte }: Counters): string[] {
  const generations = requests.filter(({ isGeneration, status }) => isGeneration && status !== 401)
  const refused = requests.filter(({ status }) => status === 429)
  return [
    metric(
      'slm_copilot_requests_total',
      'counter',
      'Requests by the name of their key (- without a valid one), path and status.',
      summed(
        requests,
        ({ tenant, path, status }) => ({ tenant, path, status }),
        ({ requests }) => requests,
      ),
    ),
    metric(
      'slm_copilot_request_seconds_total',
      'counter',
      'Seconds until the end of the answers, by name and path.',
      summed(
        requests,
        ({ tenant, path }) => ({ tenant, path }),
        count => count.seconds,
      ),
    ),
    metric(
      'slm_copilot_generations_admitted_total',
      'counter',
      'Generations that were let through to llama-server.',
      summed(
        generations.filter(({ status }) => status !== 429),
        ({ tenant }) => ({ tenant }),
        ({ requests }) => requests,
      ),
    ),
    metric(
      'slm_copilot_refused_total',
      'counter',
      'Requests refused with 429, by the limit that they exceeded.',
      summed(
        refused,
        ({ tenant, limit }) => ({ tenant, limit: limit || 'other' }),
        ({ requests }) => requests,
      ),
    ),
    metric(
      'slm_copilot_first_byte_seconds',
      'histogram',
      'Seconds until the first byte of the text of a generation.',
      [
        ...firstByteBounds.map((bound, index) => ({
          suffix: '_bucket',
          labels: { le: bound },
          value: firstByte.buckets[index] ?? 0,
        })),
        { suffix: '_bucket', labels: { le: '+Inf' }, value: firstByte.count },
        { suffix: '_sum', value: rounded(firstByte.sum) },
        { suffix: '_count', value: firstByte.count },
      ],
    ),
  ]
}

/** The whole text. */
export function metricsText(facts: MetricFacts): string {
  const { served, pending } = facts
  return [
    metric('slm_copilot_build_info', 'gauge', 'Versions; the value is always 1.', [
      { labels: { version: facts.version, llama_cpp: facts.llamaCpp, model: served?.model ?? '' }, value: 1 },
    ]),
    metric(
      'slm_copilot_serving',
      'gauge',
      'Whether the appliance serves, as far as its watchdog knows.',
      one(Number(facts.isServing)),
    ),
    metric(
      'slm_copilot_service_up',
      'gauge',
      'Whether a service beside chat (completion, embeddings, reranking) runs.',
      facts.companions.map(({ service, model, isActive }) => ({
        labels: { service, model },
        value: Number(isActive),
      })),
    ),
    metric('slm_copilot_slots', 'gauge', 'Generations at once, as planned.', one(served?.slots)),
    metric(
      'slm_copilot_context_tokens',
      'gauge',
      'Context window of each conversation.',
      one(served?.contextSize),
    ),
    metric(
      'slm_copilot_memory_planned_bytes',
      'gauge',
      'Anonymous memory that llama-server may take at most, as planned.',
      one(served?.memory),
    ),
    metric(
      'slm_copilot_memory_used_bytes',
      'gauge',
      'Anonymous memory of llama-server.',
      one(facts.memoryUsed),
    ),
    metric(
      'slm_copilot_certificate_end_timestamp_seconds',
      'gauge',
      'When the certificate in use expires.',
      one(facts.certificateEnd && seconds(facts.certificateEnd)),
    ),
    metric(
      'slm_copilot_smoke_test_passed_timestamp_seconds',
      'gauge',
      'When bootstrap last passed its smoke test since the VM has booted.',
      one(facts.smokeTestPassed && seconds(facts.smokeTestPassed)),
    ),
    metric(
      'slm_copilot_model_pending',
      'gauge',
      'A requested model that is not served yet; the value is always 1.',
      pending === undefined ? [] : [{ labels: { model: pending.model }, value: 1 }],
    ),
    metric(
      'slm_copilot_model_pending_ratio',
      'gauge',
      'How much of it has been downloaded or verified, from 0 to 1.',
      one(pending?.done),
    ),
    ...requestMetrics(facts.counters),
    metric(
      'slm_copilot_metrics_written_timestamp_seconds',
      'gauge',
      'When the metrics above were written; a timer does so every minute.',
      one(seconds(facts.now)),
    ),
  ].join('')
}
