/** When a certificate is requested from an ACME server, when not, and what the report says meanwhile. */
import { expect, it } from 'vitest'
import { certificateFiles, paths } from '../../../../lib/appliance/paths.ts'
import type { Clock } from '../../../../lib/appliance/tls/clock.ts'
import { decideOrder, orderName } from '../../../../lib/appliance/tls/lets-encrypt.ts'
import { readAcme, requestIfDue } from '../../../../lib/steps/tls/lets-encrypt.ts'
import type { Host } from '../../../../lib/system/host.ts'
import type { Output } from '../../../../lib/system/shell.ts'
import { issued } from '../../../support/certificates.ts'
import { rightClock } from '../../../support/clock.ts'
import { recordedHost } from '../../../support/recorded-host.ts'

const order = {
  domain: 'copilot.example.com',
  server: 'https://acme.example.com/directory',
  email: 'ops@example.com',
  hasCa: true,
}
const noon = new Date('2026-02-14T12:00:00Z')
const later = (minutes: number) => new Date(noon.getTime() + minutes * 60_000)

/** Requests a certificate as bootstrap does, and returns the notes if there is none in the end. */
async function obtain(host: Host, clock: Clock): Promise<string[]> {
  const decision = () => decideOrder(readAcme(host, order), clock)
  const problems = await requestIfDue(host, decision())
  const after = decision()
  return [...problems, ...(after.state === 'deferred' ? [after.note] : [])]
}

/** A machine with this result of certbot. `boot` reboots it at a given time. */
function machine(certbot: (host: Host) => Output) {
  let asked = 0
  const host: Host = recordedHost({}, () => {
    asked += 1
    return certbot(host)
  })
  let now = noon
  const boot = (name: string, at: Date) => {
    host.files.replace(paths.bootId, `${name}\n`, 0o644)
    now = at
  }
  const ask = () => obtain({ ...host, now: () => now }, rightClock(now))
  return { host, boot, ask, asked: () => asked }
}

const failing =
  (stdout: string, exitCode = 1) =>
  () => ({ exitCode, stdout, stderr: '' })

it('requests once per boot, and in later boots only after a delay that doubles', async () => {
  const { boot, ask, asked } = machine(failing('Detail: no such host'))
  const seen: [string, number, boolean][] = []
  for (const [name, minute] of [
    ['first', 0],
    ['first', 20],
    ['second', 14],
    ['third', 15],
    ['fourth', 44],
    ['fifth', 45],
    ['sixth', 104],
    ['seventh', 105],
  ] as const) {
    boot(name, later(minute))
    const before = asked()
    expect(await ask()).toEqual([
      expect.stringMatching(
        /^No certificate from the ACME server .* for copilot\.example\.com: no such host\./,
      ),
    ])
    seen.push([name, minute, asked() > before])
  }
  expect(seen.filter(([, , isAsked]) => isAsked).map(([name]) => name)).toEqual([
    'first',
    'third',
    'fifth',
    'seventh',
  ])
})

it('waits at most a day, and not because a wrong clock was set back', async () => {
  const { boot, ask, asked } = machine(failing(''))
  let at = 0
  for (let failures = 0; failures < 12; failures += 1) {
    at += 24 * 60
    boot(`boot ${failures}`, later(at))
    await ask()
  }
  expect(asked()).toBe(12)
  boot('clock set back', later(at - 60))
  await ask()
  expect(asked()).toBe(13)
})

it('counts an interrupted attempt as failed', async () => {
  const { host, boot, ask, asked } = machine(() => {
    // Like a kill: nothing is recorded after the attempt.
    throw new Error('the machine stopped')
  })
  boot('first', noon)
  await ask()
  boot('second', later(5))
  expect(await ask()).toEqual([
    expect.stringContaining('Next attempt: at the first boot after 2026-02-14T12:15:00Z'),
  ])
  expect(asked()).toBe(1)
  expect(host.files.status(paths.attempts)?.mode).toBe(0o600)
})

it.each([
  ['a server error', 1, 'Saving debug log to x\n Detail: DNS problem\nAsk for help at y', 'DNS problem.'],
  ['an error of certbot', 1, 'Saving debug log to x\nSome error!\nSee the logfile z', 'Some error!'],
  ['no output', 3, '', 'certbot exited with code 3.'],
  ['a timeout', 124, 'whatever', 'certbot timed out after 120 s.'],
  ['a kill', 137, 'whatever', 'certbot was killed by signal 9.'],
  ['success without a certificate', 0, '', 'The certificate that was issued is not for copilot.example.com.'],
])('explains %s', async (_, code, stdout, why) => {
  const { boot, ask } = machine(failing(stdout, code))
  boot('first', noon)
  const [note] = await ask()
  expect(note).toContain(`for copilot.example.com: ${why} The VM's own certificate is in use.`)
})

it('forgets failures once it has a pair, and requests none while that is valid', async () => {
  const { leaf } = issued({ dns: [order.domain], ip: [] }, rightClock(noon))
  const folder = `${paths.certbot}/live/${orderName(order)}`
  let works = false
  const { host, boot, ask } = machine(host => {
    if (!works) return { exitCode: 1, stdout: 'no', stderr: '' }
    host.files.replace(`${folder}/${certificateFiles.chain}`, leaf.certificate, 0o644)
    host.files.replace(`${folder}/${certificateFiles.key}`, leaf.key, 0o600)
    return { exitCode: 0, stdout: '', stderr: '' }
  })
  boot('first', noon)
  await ask()
  works = true
  boot('second', later(60))
  expect(await ask()).toEqual([])
  expect(JSON.parse(host.files.read(paths.attempts) ?? '')).toEqual({})
  // The pair exists and is valid, so none is requested.
  boot('third', later(120))
  works = false
  expect(await ask()).toEqual([])
})

it('requests nothing while the clock cannot be right', async () => {
  const host = recordedHost({}, () => {
    throw new Error('asked')
  })
  const clock = { now: new Date('1970-01-01'), isSynchronised: false, earliest: noon }
  expect(await obtain(host, clock)).toEqual([
    expect.stringContaining('none is requested while the clock is wrong: it says 1970-'),
  ])
  expect(decideOrder(undefined, rightClock(noon))).toEqual({ state: 'satisfied' })
})
