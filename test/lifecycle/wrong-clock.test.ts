/** What a clock that cannot be right does to the appliance's own checks: nothing, as long as clients are served. */
import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { paths, units } from '../../lib/appliance/paths.ts'
import { readUnavailable } from '../../lib/steps/services/availability.ts'
import type { HttpRequest } from '../../lib/system/http.ts'
import { answering, shell } from '../../lib/system/shell.ts'
import { bootstrap } from '../../lifecycle/bootstrap.ts'
import { configure } from '../../lifecycle/configure.ts'
import { watchdog } from '../../lifecycle/watchdog.ts'
import { tinyModel } from '../support/capacity.ts'
import { servingHost } from '../support/serving-host.ts'

const clocks = [
  { time: '1970-01-02', isSynchronised: false, isWrong: true, hasExpired: false },
  { time: '2026-02-14', isSynchronised: false, isWrong: false, hasExpired: false },
  { time: '2040-01-01', isSynchronised: false, isWrong: true, hasExpired: false },
  // A time source is believed.
  { time: '2040-01-01', isSynchronised: true, isWrong: false, hasExpired: true },
]

/** A host that serves, was configured by a right clock, and has its clock set. */
async function hostAt({ time, isSynchronised }: (typeof clocks)[number]) {
  const host = await servingHost({}, tinyModel)
  await configure(host)
  const asked: HttpRequest[] = []
  const $ = shell(
    answering(command => {
      if (command.startsWith('chronyc '))
        return { exitCode: 0, stderr: '', stdout: isSynchronised ? 'Leap status     : Normal\n' : '' }
      const running = 'ActiveState=active\nUnitFileState=enabled\nInvocationID=first\nMainPID=42\n'
      return { exitCode: 0, stdout: command.includes(' show ') ? running : '', stderr: '' }
    }),
  )
  const http = (request: HttpRequest) => {
    asked.push(request)
    return host.http(request)
  }
  return { ...host, $, query: $, now: () => new Date(time), http, asked }
}

it.each(clocks.filter(({ hasExpired }) => !hasExpired))(
  'at $time, both stages succeed; the certificate in use is pinned: $isWrong',
  async at => {
    const host = await hostAt(at)
    await configure(host)
    await bootstrap(host, paths.report)
    const toEdge = host.asked.filter(({ url }) => url.startsWith('https:'))
    expect(toEdge.length).toBeGreaterThan(3)
    const inUse = host.files.read(paths.currentChain)
    const trust = at.isWrong ? { pinned: inUse } : { ca: host.files.read(paths.caCertificate) }
    for (const { ca, pinned } of toEdge)
      expect({ ca, pinned }).toEqual({ ca: undefined, pinned: undefined, ...trust })
    const report = (host.files.read(paths.report) ?? '').replace(/\s+/g, ' ')
    expect(report.includes(`The clock of this VM says ${at.time}, and no time source confirms it.`)).toBe(
      at.isWrong,
    )
  },
)

it.each(clocks)(
  'at $time, synchronised: $isSynchronised, the watchdog says that the certificate has expired: $hasExpired',
  async at => {
    const host = await hostAt(at)
    const { validToDate } = new X509Certificate(host.files.read(paths.currentChain) ?? '')
    await watchdog(host)
    const said = `The certificate expired on ${validToDate.toISOString().slice(0, 10)}`
    expect(readUnavailable(host)?.includes(said) ?? false).toBe(at.hasExpired)
    expect(host.commands.filter(command => command.includes(`kill --signal=KILL ${units.nginx}`))).toEqual([])
  },
)
