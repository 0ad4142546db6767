/** `slm-copilot usage` on a machine with a request log. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { paths } from '../../../lib/appliance/paths.ts'
import { duration } from '../../../lib/render/text/usage.ts'
import { requestUsage } from '../../../lifecycle/cli/request-usage.ts'
import { recordedHost } from '../../support/recorded-host.ts'
import { jsonLine, textLine } from '../../support/request-lines.ts'

const long = 'a-name-of-thirty-two-characters.'

function hostWithLog() {
  const host = recordedHost()
  host.files.makeFolder('/var/log/nginx')
  const today = [
    textLine({ total: 100 }),
    textLine({ total: 30.5 }),
    textLine({ path: '/v1/models', method: 'GET' }),
    textLine({ method: 'GET', status: 405 }),
    textLine({ status: 429, limit: 'slots' }),
    textLine({ status: 503 }),
    textLine({ tenant: long, total: 7300 }),
    textLine({ tenant: '-', status: 401 }),
    textLine({ tenant: 'copilot', address: '127.0.0.1', client: 'slm-copilot' }),
  ]
  const before = [
    jsonLine({ time: '2026-02-12T09:00:00+00:00', total: 60 }),
    jsonLine({ time: '2026-02-01T09:00:00+00:00' }),
  ]
  writeFileSync(join(host.root, paths.accessLog), `${today.join('\n')}\n`)
  writeFileSync(join(host.root, `${paths.accessLog}.2.gz`), gzipSync(`${before.join('\n')}\n`))
  return host
}

const zero = { requests: 0, generations: 0, generationSeconds: 0, refused: 0, failed: 0, wrongKeys: 0 }

it('counts by day and key, from rotated files too', async () => {
  const { usage, ...rest } = JSON.parse(await requestUsage(hostWithLog(), '3d', true))
  expect(rest).toEqual({ since: '2026-02-11T10:00:00.000Z', until: '2026-02-14T10:00:00.000Z' })
  expect(usage).toEqual([
    { ...zero, day: '2026-02-12', key: 'alice', requests: 1, generations: 1, generationSeconds: 60 },
    { ...zero, day: '2026-02-14', key: long, requests: 1, generations: 1, generationSeconds: 7300 },
    {
      day: '2026-02-14',
      key: 'alice',
      requests: 6,
      generations: 2,
      generationSeconds: 130.5,
      refused: 1,
      failed: 1,
      wrongKeys: 0,
    },
    { ...zero, day: '2026-02-14', key: null, requests: 1, wrongKeys: 1 },
  ])
})

it('shows a table of 80 columns, with totals', async () => {
  const text = await requestUsage(hostWithLog(), '3d')
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  expect(text).toBe(`Requests since 2026-02-11 10:00 UTC. Time: until the end of each answer.

day         key                        requests answers    time refused failed
2026-02-12  alice                             1       1    60 s       0      0
2026-02-14  a-name-of-thirty-two-char…        1       1   2.0 h       0      0
2026-02-14  alice                             6       2   2 min       1      1
2026-02-14  (wrong or missing key)            1       -       -       -      -

total       a-name-of-thirty-two-char…        1       1   2.0 h       0      0
total       alice                             7       3   3 min       1      1
total       (wrong or missing key)            1       -       -       -      -
`)
})

it.each([
  ['1h', 'since 2026-02-14 09:00 UTC'],
  ['30d', 'total '],
  ['2026-02-13', '2026-02-14'],
])('since %s', async (since, shown) => {
  expect(await requestUsage(hostWithLog(), since)).toContain(shown)
})

it('says that there were none', async () => {
  expect(await requestUsage(recordedHost())).toBe('No requests since 2026-02-07 10:00 UTC.\n')
})

it.each(['', 'yesterday', '7', '7 d', '-7d', '2026-13-01', '2026-02-14T00:00:00', '99999d'])(
  'does not take --since %j',
  async since => {
    await expect(requestUsage(recordedHost(), since)).rejects.toThrow(
      `--since ${since}: takes a date such as`,
    )
  },
)

it.each([
  [0, '0 s'],
  [119.4, '119 s'],
  [120, '2 min'],
  [7199, '120 min'],
  [7200, '2.0 h'],
])('%d seconds: %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})
