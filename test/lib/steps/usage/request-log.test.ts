/** The request log with its rotated files. */
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { paths } from '../../../../lib/appliance/paths.ts'
import { requestsOfLastHour, requestsSince } from '../../../../lib/steps/usage/request-log.ts'
import { recordedHost } from '../../../support/recorded-host.ts'
import { jsonLine, textLine } from '../../../support/request-lines.ts'

const lineOf = (path: string, time: string) => textLine({ path, time })

/** A host at 10:00 whose files have these contents, and were last written to at the given time. */
function hostWith(files: Record<string, [content: string | Buffer, writtenAt: string]>) {
  const host = recordedHost()
  host.files.makeFolder('/var/log/nginx')
  for (const [suffix, [content, writtenAt]] of Object.entries(files)) {
    const file = join(host.root, `${paths.accessLog}${suffix}`)
    writeFileSync(file, content)
    utimesSync(file, new Date(writtenAt), new Date(writtenAt))
  }
  return host
}

async function pathsSince(host: ReturnType<typeof recordedHost>, since: string): Promise<string[]> {
  const found: string[] = []
  for await (const some of requestsSince(host, new Date(since))) found.push(...some.map(({ path }) => path))
  return found
}

const half = gzipSync(
  `${Array.from({ length: 3000 }, (_, i) => lineOf('/infill', `2026-02-12T10:00:00.${i}Z`)).join('\n')}\n`,
)

it('reads all files, the oldest first, and none that ended before', async () => {
  const host = hostWith({
    '': [
      `${lineOf('/4', '2026-02-14T09:00:00Z')}\nno request\n${lineOf('/5', '2026-02-14T09:10:00Z')}\ntime=2026`,
      '2026-02-14T09:10:00Z',
    ],
    '.1': [`${jsonLine({ path: '/3', time: '2026-02-13T09:00:00Z' })}\n`, '2026-02-13T09:00:00Z'],
    '.2.gz': [
      gzipSync(`${lineOf('/1', '2026-02-10T09:00:00Z')}\n${lineOf('/2', '2026-02-12T09:00:00Z')}\n`),
      '2026-02-12T09:00:00Z',
    ],
    '.10.gz': ['not an archive, and too old to be opened', '2026-01-01T00:00:00Z'],
    '.bak': [`${lineOf('/x', '2026-02-14T09:00:00Z')}\n`, '2026-02-14T09:00:00Z'],
  })
  expect(await pathsSince(host, '2026-02-01T00:00:00Z')).toEqual(['/1', '/2', '/3', '/4', '/5'])
  expect(await pathsSince(host, '2026-02-11T00:00:00Z')).toEqual(['/2', '/3', '/4', '/5'])
  expect(await pathsSince(host, '2026-02-14T09:05:00Z')).toEqual(['/5'])
  expect(host.lines).toEqual([])
})

it.each([
  ['cut off', half.subarray(0, half.length / 2)],
  ['no archive', Buffer.from('plain text')],
  ['empty', Buffer.alloc(0)],
])('says so if an archive is %s, and reads on', async (_, archive) => {
  const host = hostWith({
    '': [`${lineOf('/last', '2026-02-14T09:00:00Z')}\n`, '2026-02-14T09:00:00Z'],
    '.2.gz': [archive, '2026-02-13T00:00:00Z'],
  })
  expect((await pathsSince(host, '2026-02-01T00:00:00Z')).at(-1)).toBe('/last')
  if (archive.length > 0)
    expect(host.lines.join()).toContain(`${paths.accessLog}.2.gz could not be read to its end`)
})

it('is empty without a log', async () => {
  expect(await requestsOfLastHour(recordedHost())).toEqual([])
})

it('the last hour has no requests of the appliance itself', async () => {
  const lines = [
    textLine({ time: '2026-02-14T08:59:59Z' }),
    textLine({ time: '2026-02-14T09:00:00Z' }),
    textLine({ time: '2026-02-14T10:30:00+01:00', tenant: '-', status: 401 }),
    textLine({ time: '2026-02-14T09:59:03Z', address: '127.0.0.1', client: 'slm-copilot' }),
    textLine({ time: '2026-02-14T09:59:04Z', address: '127.0.0.1', client: 'curl' }),
    // Before the clock was set back.
    textLine({ time: '2040-01-02T00:00:00Z' }),
  ]
  const host = hostWith({ '': [`${lines.join('\n')}\n`, '2026-02-14T09:59:04Z'] })
  expect((await requestsOfLastHour(host)).map(({ status, client }) => [status, client])).toEqual([
    [200, 'opencode'],
    [401, 'opencode'],
    [200, 'curl'],
  ])
})
