/** What the timer writes: the counters across rotations, restarts and damage. */
import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { writeMetrics } from '../../lifecycle/write-metrics.ts'
import { type RecordedHost, recordedHost } from '../support/recorded-host.ts'
import { textLine } from '../support/request-lines.ts'

let host: RecordedHost
let log: string
beforeEach(() => {
  host = recordedHost()
  for (const folder of ['/run', '/proc', '/var/log/nginx']) host.files.makeFolder(folder)
  writeFileSync(join(host.root, '/proc/uptime'), '3600.00 100.00\n')
  log = join(host.root, paths.accessLog)
})

const add = (count: number, changes: Parameters<typeof textLine>[0] = {}) =>
  appendFileSync(log, `${textLine(changes)}\n`.repeat(count))

/** The number of requests in the metrics, once they have been written again. */
async function total(): Promise<number> {
  await writeMetrics(host)
  const text = host.files.read(paths.metrics) ?? ''
  return [...text.matchAll(/^slm_copilot_requests_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, number]) => sum + Number(number),
    0,
  )
}

it('counts each request once, since the boot', async () => {
  expect(await total()).toBe(0)
  add(2, { time: '2026-02-14T08:59:00Z' })
  // Before the clock was put right, in the boot before.
  add(2, { time: '2040-01-02T00:00:00Z' })
  add(3)
  add(1, { address: '127.0.0.1', client: 'slm-copilot' })
  expect(await total()).toBe(3)
  expect(await total()).toBe(3)
  add(1)
  appendFileSync(log, textLine({}).slice(0, 50))
  expect(await total()).toBe(4)
  appendFileSync(log, `${textLine({}).slice(50)}\n`)
  expect(await total()).toBe(5)
})

it('goes on after a rotation, with the rest of the rotated file', async () => {
  add(2)
  expect(await total()).toBe(2)
  add(3)
  renameSync(log, `${log}.1`)
  expect(await total()).toBe(2)
  add(4)
  expect(await total()).toBe(9)
})

it.each([
  ['the file has been emptied', () => truncateSync(log), 3],
  ['its state is damaged', () => writeFileSync(join(host.root, paths.counters), '{'), 3],
])('goes on if %s', async (_, damage, expected) => {
  add(2)
  await total()
  damage()
  add(1)
  expect(await total()).toBe(expected)
})

it('can be read by nginx, while what it remembers cannot be read by others', async () => {
  add(1)
  await total()
  expect(host.files.status(paths.metrics)?.mode).toBe(0o644)
  expect(host.files.status(paths.counters)?.mode).toBe(0o600)
})
