/** Requests counted by day and key: what counts as what, and the order of the rows. */
import { expect, it } from 'vitest'
import { type LoggedRequest, parseRequest } from '../../../../lib/appliance/usage/requests.ts'
import { isGeneration, totalsOf, type Usage, usageOf } from '../../../../lib/appliance/usage/usage.ts'
import { textLine } from '../../../support/request-lines.ts'

type Changes = Parameters<typeof textLine>[0]

const read = async function* (lines: Changes[]) {
  for (const changes of lines) yield [parseRequest(textLine(changes)) as LoggedRequest]
}
const usageIn = (lines: Changes[]) => usageOf(read(lines))

const row = (changes: Partial<Usage>): Usage => ({
  day: '2026-02-14',
  key: 'alice',
  requests: 1,
  generations: 0,
  generationSeconds: 0,
  refused: 0,
  failed: 0,
  wrongKeys: 0,
  ...changes,
})

it.each<[string, string, boolean]>([
  ['POST', '/v1/chat/completions', true],
  ['POST', '/v1/messages', true],
  ['GET', '/v1/chat/completions', false],
  ['POST', '/v1/messages/count_tokens', false],
  ['POST', '/v1/embeddings', false],
  ['GET', '/v1/models', false],
  ['POST', 'other', false],
])('%s %s: a generation: %s', (method, path, is) => {
  expect(isGeneration({ method, path })).toBe(is)
})

it.each<[string, Changes, Partial<Usage>]>([
  ['an answered generation', { total: 1.5 }, { generations: 1, generationSeconds: 1.5 }],
  ['another answered request', { method: 'GET', path: '/v1/models' }, {}],
  ['an invalid generation', { status: 400 }, {}],
  ['one that its client cut off', { status: 499 }, {}],
  ['a request beyond a limit', { status: 429, limit: 'slots' }, { refused: 1 }],
  ['a request that failed', { status: 500 }, { failed: 1 }],
  ['a request that timed out', { status: 504 }, { failed: 1 }],
  ['a wrong key', { status: 401, tenant: '-' }, { key: null, wrongKeys: 1 }],
])('counts %s', async (_, changes, expected) => {
  expect(await usageIn([changes])).toEqual([row(expected)])
})

it('adds up what a key has used in a day', async () => {
  const lines = [
    { total: 0.1 },
    { total: 0.2 },
    { status: 429 },
    { status: 429 },
    { status: 502 },
    { status: 503 },
    { status: 401 },
    { status: 401 },
  ]
  expect(await usageIn(lines)).toEqual([
    row({ requests: 8, generations: 2, generationSeconds: 0.3, refused: 2, failed: 2, wrongKeys: 2 }),
  ])
})

const [first, second] = [{ time: '2026-02-14T23:59:59+00:00' }, { time: '2026-02-15T00:00:00+00:00' }]

it('has a row for each day and key, in this order, requests without a key last', async () => {
  const lines = [
    { ...second, tenant: 'Bob' },
    { ...first, tenant: '-', status: 404 },
    { ...first, tenant: 'bob' },
    { ...second, tenant: 'alice' },
    { ...first, tenant: 'Alice' },
    { ...first, tenant: 'zoe' },
  ]
  const order = ({ day, key }: Usage) => [day, key]
  for (const some of [lines, lines.toReversed()])
    expect((await usageIn(some)).map(order)).toEqual([
      ['2026-02-14', 'Alice'],
      ['2026-02-14', 'bob'],
      ['2026-02-14', 'zoe'],
      ['2026-02-14', null],
      ['2026-02-15', 'alice'],
      ['2026-02-15', 'Bob'],
    ])
})

it('has no rows without requests', async () => {
  expect(await usageIn([])).toEqual([])
  expect(totalsOf([])).toEqual([])
})

it('sums up the days of each key', async () => {
  const counts = { generations: 2, generationSeconds: 3, refused: 4, failed: 5, wrongKeys: 6 }
  const rows = [
    row({ key: null, wrongKeys: 3 }),
    row({ key: 'bob', requests: 20, ...counts }),
    row({ key: 'alice', requests: 10 }),
    row({ day: '2026-02-15', key: 'bob', requests: 1, ...counts }),
  ]
  const before = structuredClone(rows)
  expect(totalsOf(rows)).toEqual([
    row({ day: 'total', key: 'alice', requests: 10 }),
    row({
      day: 'total',
      key: 'bob',
      requests: 21,
      generations: 4,
      generationSeconds: 6,
      refused: 8,
      failed: 10,
      wrongKeys: 12,
    }),
    row({ day: 'total', key: null, wrongKeys: 3 }),
  ])
  expect(rows).toEqual(before)
})
