/** A drain refuses new requests, waits for what runs, and ends; as an effect of a file that both proxies look for. */
import { expect, it } from 'vitest'
import { admissionStatusUrl, paths } from '../../lib/appliance/paths.ts'
import { drainingSince } from '../../lib/steps/services/drain.ts'
import type { HttpRequest } from '../../lib/system/http.ts'
import { answering, shell } from '../../lib/system/shell.ts'
import { drain, drainAtShutdown, limitFrom, undoDrain } from '../../lifecycle/drain.ts'
import { recordedHost } from '../support/recorded-host.ts'

const page = (running: number) =>
  `Active connections: ${running + 1} \nserver accepts handled requests\n 9 9 9 \nReading: 0 Writing: ${running + 1} Waiting: 0 \n`

/** A machine whose admission proxy says how many requests run, at each look. */
function hostWith(looks: (number | Error)[]) {
  const asked: string[] = []
  const http = async ({ url }: HttpRequest) => {
    asked.push(url)
    const look = looks.length > 1 ? looks.shift() : looks[0]
    if (look instanceof Error) throw look
    return { status: 200, headers: {}, body: page(look ?? 0), arrivals: [] }
  }
  const host = Object.assign(recordedHost(), { http })
  return { host, asked }
}

it('waits until what runs has ended', async () => {
  const { host, asked } = hostWith([2, 1, 0])
  expect(await drain(host, 60)).toBe(true)
  expect(asked).toEqual(Array(4).fill(admissionStatusUrl))
  expect(host.files.read(paths.draining)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/)
  expect(host.lines.at(-1)).toMatch(/^Drained after \d s/)
})

it('gives up at the limit, and says what still runs', async () => {
  const { host } = hostWith([1])
  expect(await drain(host, 0)).toBe(false)
  expect(host.lines.at(-1)).toBe('Not drained after 0 s: 1 request is still being answered')
  expect(drainingSince(host)).toBeDefined()
})

it('has nothing to wait for if the admission proxy does not run', async () => {
  const { host } = hostWith([Object.assign(new Error(), { code: 'ECONNREFUSED' })])
  expect(await drain(host, 60)).toBe(true)
})

it('is undone while it waits', async () => {
  const { host } = hostWith([1])
  const outcome = drain(host, 60)
  await undoDrain(host)
  expect(await outcome).toBe(false)
  expect(drainingSince(host)).toBeUndefined()
  await undoDrain(host)
  expect(host.lines.at(-1)).toMatch(/not being drained/)
})

it.each([
  ['stopping', true],
  ['running', false],
  ['degraded', false],
])('by its unit, while the system is %s', async (state, drains) => {
  const { host } = hostWith([0])
  await drainAtShutdown(
    { ...host, query: shell(answering(() => ({ exitCode: 1, stdout: `${state}\n`, stderr: '' }))) },
    60,
  )
  expect(drainingSince(host) !== undefined).toBe(drains)
})

it.each([
  [undefined, 300],
  ['0', 0],
  ['3600', 3600],
])('takes the limit %s', (given, seconds) => expect(limitFrom(given)).toBe(seconds))

it.each(['', '-1', '1.5', '3601', 'x', '1e3', '00000'])('refuses the limit "%s"', given => {
  expect(() => limitFrom(given)).toThrow(/--limit .*: takes a whole number of seconds, up to 3600/)
})
