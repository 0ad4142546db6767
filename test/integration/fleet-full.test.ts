/** A request is refused only if the whole fleet is full: a slot that is free somewhere is found, whoever else refuses. */
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { HttpAnswer } from '../../lib/system/http.ts'
import {
  answeredBy,
  ask,
  keys,
  logOf,
  settle,
  startCopilot,
  startRouter,
  type TestCopilot,
  type TestRouter,
  until,
} from './support/fleet.ts'

const names = ['one', 'two', 'three', 'four']
const slots = 2
let copilots: TestCopilot[]
let router: TestRouter
beforeAll(async () => {
  copilots = await Promise.all(names.map(name => startCopilot(name, slots)))
  router = await startRouter(copilots.map(({ address }) => address))
})
afterAll(() => Promise.all([router?.close(), ...(copilots ?? []).map(copilot => copilot.stop())]))
afterEach(async () => {
  await settle(copilots)
  await router.forget()
})

const openStreams = () => copilots.reduce((sum, { open }) => sum + open.size, 0)
const keyOf = (index: number) => (index % 2 === 0 ? keys.alice : keys.bob)
const at = (index: number) => copilots[index % copilots.length] as TestCopilot

/** Streams of many sessions that take all slots: of two keys, since none gets the last slot. */
async function fill(): Promise<Promise<HttpAnswer>[]> {
  for (const copilot of copilots) copilot.mode.is = 'hold'
  const streams: Promise<HttpAnswer>[] = []
  for (let index = 0; index < slots * names.length; index += 1) {
    streams.push(ask(router, { session: `held-${index}`, key: keyOf(index) }))
    await until(() => openStreams() === index + 1)
  }
  return streams
}

it('the only free slot is found, wherever it is and whichever session asks', async () => {
  const streams = await fill()
  expect((await ask(router, { session: 'none' })).status).toBe(429)
  for (let round = 0; round < 24; round += 1) {
    const copilot = at(round)
    for (const response of [...copilot.open].slice(0, 1)) response.end('data: [DONE]\n\n')
    await until(() => openStreams() === slots * names.length - 1)
    streams.push(ask(router, { session: `session-${round}`, key: keyOf(round) }))
    await until(() => copilot.open.size === slots)
  }
  for (const copilot of copilots) for (const response of copilot.open) response.end()
  expect((await Promise.all(streams)).map(({ status }) => status)).toEqual(streams.map(() => 200))
})

it('a request waits a moment for a slot: the end of an answer may be on its way', async () => {
  const streams = await fill()
  const waiting = [ask(router, { session: 'a', key: keys.bob }), ask(router, { session: 'b' })]
  await setTimeout(150)
  for (const response of [...at(2).open].slice(0, 1)) response.end('data: [DONE]\n\n')
  // One gets the slot; the other is refused after half a second.
  expect((await Promise.race(waiting)).status).toBe(429)
  expect(openStreams()).toBe(slots * names.length)
  for (const copilot of copilots) for (const response of copilot.open) response.end()
  const statuses = await Promise.all([...streams, ...waiting].map(async answer => (await answer).status))
  expect(statuses.filter(status => status !== 200)).toEqual([429])
})

describe('copilots that refuse although they have a free slot, as far as the router knows', () => {
  it.each([
    [429, 429, 429],
    [503, 503, 503],
    [429, 503, 429],
  ])('%d, %d and %d: the fourth answers, whichever it is', async (...statuses) => {
    for (let answering = 0; answering < names.length; answering += 1) {
      for (const [index, status] of statuses.entries()) at(answering + 1 + index).mode.is = status
      at(answering).mode.is = 'answer'
      for (let session = 0; session < 6; session += 1) {
        const answer = await ask(router, { session: `session-${session}` })
        expect([answer.status, answeredBy(answer)]).toEqual([200, names[answering]])
        await router.forget()
      }
    }
  })

  it('one that has refused a generation is asked last for a while, so that others’ requests reach it rarely', async () => {
    const refusals = () => logOf(at(0).edge).match(/ status=429 /g)?.length ?? 0
    const earlier = refusals()
    at(0).mode.is = 429
    const started = performance.now()
    for (let session = 0; session < 20; session += 1)
      expect((await ask(router, { session: `session-${session}` })).status).toBe(200)
    await until(() => refusals() > earlier)
    const seconds = (performance.now() - started) / 1000
    expect(refusals() - earlier).toBeLessThanOrEqual(1 + seconds)
    at(0).mode.is = 'answer'
    const before = at(0).bodies.length
    const ask20 = async () => {
      for (let session = 0; session < 20; session += 1) await ask(router, { session: `session-${session}` })
      return at(0).bodies.length
    }
    await expect.poll(ask20, { timeout: 20_000 }).toBeGreaterThan(before)
  })
})

/** How many copilots a request has reached, by its id in their logs. */
async function reached({ headers }: HttpAnswer, count: number): Promise<number> {
  const id = String(headers['x-request-id'])
  const lines = () =>
    copilots.flatMap(({ edge }) => logOf(edge).split('\n')).filter(line => line.includes(id))
  await until(() => lines().length >= count)
  return lines().length
}

it.each([
  ['refuse', 429, 429, 4],
  ['are loading', 503, 503, 4],
  ['fail', 502, 503, 2],
])('if all %s (%d), the answer is %d, after %d attempts', async (_, mode, status, attempts) => {
  for (const copilot of copilots) copilot.mode.is = mode
  const answer = await ask(router, { session: 's' })
  expect(answer.status).toBe(status)
  expect(await reached(answer, attempts)).toBe(attempts)
})

it('a gap that chat’s model fills takes a slot, and none takes the last one of the fleet', async () => {
  for (const copilot of copilots) copilot.mode.is = 'hold'
  const gap = { path: '/infill', body: { input_prefix: 'a', input_suffix: 'b', messages: undefined } }
  const most = slots * names.length - 1
  const streams = Array.from({ length: most }, (_, index) => ask(router, { ...gap, session: `s${index}` }))
  await until(() => openStreams() === most)
  expect((await ask(router, { ...gap, session: 's' })).status).toBe(429)
  streams.push(ask(router, { ...gap, session: 's', key: keys.bob }))
  await until(() => openStreams() === most + 1)
  for (const copilot of copilots) for (const response of copilot.open) response.end()
  expect((await Promise.all(streams)).map(({ status }) => status)).toEqual(streams.map(() => 200))
})
