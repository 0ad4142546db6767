import { expect, it } from 'vitest'
import type { ApplianceStatus } from '../../../../lib/appliance/status/status.ts'
import { statusText } from '../../../../lib/render/text/status.ts'
import { servingStatus as serving } from '../../../support/status.ts'

const linesOf = (status: ApplianceStatus) => statusText(status).split('\n')

it.each([
  /^SLM-Copilot is serving a\.\n/,
  /endpoint +https:\/\/copilot\.example\.com\/v1\n +also +https:\/\/192\.0\.2\.7\/v1/,
  /plan +2 × 4096 tokens, 8 threads, KV cache f16/,
  /admission\.service {2}active since 2026-02-14T10:00:00Z\n/,
  /nginx\.service +not active/,
  /floating address +192\.0\.2\.100, not at this router\n/,
  /certificate +from an ACME server, for copilot\.example\.com;\s+valid until 2026-02-14, 12 days left/,
  /configure +success, 2026-02-14T10:00:00Z\n/,
  /bootstrap +failure, 2026-02-14T10:00:00Z: It has\s+failed\./,
  /framework +bootstrap_failure/,
  /smoke test +passed \(full, 2026-02-14T10:00:00Z\)/,
  /speed at start +prompts 123, answers 7\.53 tokens\/s/,
  /since then +prompts 98\.7, answers - tokens\/s/,
  /requests in the last hour +10, refused: 2 × 401, 1 × 429/,
  /memory of llama-server +1\.0 GiB of 3\.0 GiB planned, and 2\.0 GiB\s+mapped; that is more than planned/,
  /disk +5\.0 GB of 20\.0 GB free in \/, \/var\/log\n +disk +1\.0 GB of 20\.0 GB free in \/srv/,
  /versions +SLM-Copilot 1\.2\.3, llama\.cpp b9999, nginx\s+1\.26\.3, model in the image: a/,
  /pending +b is not downloaded yet/,
  /note +A note of some length/,
])('shows %s', pattern => {
  expect(statusText(serving)).toMatch(pattern)
})

const at = '2026-02-14T10:00:00.000Z'
const plan = serving.plan as NonNullable<ApplianceStatus['plan']>
const [copilot] = serving.fleet ?? []
const companion = {
  kind: 'completion',
  model: 'b',
  contextSize: 6144,
  memory: 2 ** 30,
  isInstalled: true,
} as const
it.each<[string, Partial<ApplianceStatus>, string]>([
  [
    "a router's plan",
    { plan: { ...plan, state: 'routing' } },
    'model a plan router, 2 slots in the fleet, up to 4096 tokens',
  ],
  [
    'a service beside chat',
    { plan: { ...plan, companions: [companion] } },
    'completion b, 1.0 GiB floating address',
  ],
  [
    'one that waits for its model',
    { plan: { ...plan, companions: [{ ...companion, isInstalled: false }] } },
    'completion b, 1.0 GiB; its model is not there yet',
  ],
  [
    'a copilot of an older version, which HAProxy does not know yet',
    { fleet: copilot === undefined ? null : [{ ...copilot, state: 'new', busy: null, version: '' }] },
    'copilot-3 new, - of 4 slots busy, a at 192.0.2.8, since 2026-02-14T10:00:00Z slm-copilot.service',
  ],
  [
    'a service that does not start at boot',
    { services: [{ unit: 'x.service', isActive: true, isEnabled: false, since: at, problem: null }] },
    'x.service active since 2026-02-14T10:00:00Z, not enabled at boot',
  ],
  [
    'a smoke test that failed',
    { smokeTest: { at, depth: 'light', problem: 'no answer' } },
    'smoke test failed: no answer (light, 2026-02-14T10:00:00Z)',
  ],
  [
    'a stage that runs, before the framework has recorded one',
    {
      stages: {
        framework: null,
        install: { result: 'running', startedAt: at, endedAt: null, problem: null },
        configure: null,
        bootstrap: null,
      },
    },
    'install running, 2026-02-14T10:00:00Z framework has run no stage yet',
  ],
])('shows %s', (_, changes, row) => {
  const onOneLine = statusText({ ...serving, ...changes }).replace(/\s+/g, ' ')
  expect(onOneLine).toContain(row)
})

it('fits into 80 columns, however long its texts, and needs no colour', () => {
  const long = 'x'.repeat(300)
  const status = { ...serving, problem: long, pending: [long], unknown: { plan: long } }
  expect(Math.max(...linesOf(status).map(line => line.length))).toBeLessThanOrEqual(80)
  expect(statusText(status)).toMatch(/^[\n -~×]*$/)
  expect(linesOf(serving).length).toBeLessThan(50)
})

it('says what nothing is served for, what was not measured, and what could not be read', () => {
  const text = statusText({
    ...serving,
    isServing: false,
    problem: 'It is loading.',
    plan: null,
    speed: { atStart: null, sinceStart: { prompt: null, generation: null } },
    requests: { total: 0, refused: {} },
    unknown: {
      plan: '/etc/slm-copilot/plan.json: permission denied; root may read it.',
      smokeTest: 'smoke-test.json: permission denied',
      speed: 'llama-server gave no timings.',
    },
  })
  expect(text).toMatch(/^SLM-Copilot is not serving\.\n\n {2}reason +It is loading\./)
  expect(text).toMatch(/speed at start +not measured\n {2}since then +prompts -, answers - tokens\/s/)
  expect(text).toMatch(/0, refused: none/)
  expect(text).toMatch(
    /unknown +speed: llama-server gave no timings\.\n +shown to root only +plan, smoke test\n/,
  )
})

it('names a model that is not served yet', () => {
  const waiting: ApplianceStatus = { ...serving, isServing: false, plan: { ...plan, state: 'waiting' } }
  expect(statusText(waiting)).toMatch(/model +a, not served \(waiting\)/)
})

it('says that a router serves a fleet', () => {
  expect(statusText({ ...serving, plan: { ...plan, state: 'routing' } })).toMatch(
    /^SLM-Copilot is serving a fleet\.\n/,
  )
})
