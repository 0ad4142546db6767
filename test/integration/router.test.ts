/** A router and two copilots: where requests go, whose they are, and what happens when a copilot is full or lost. */
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { saltOf } from '../../lib/render/nginx/tenants.ts'
import { readServers } from '../../lib/steps/fleet/servers.ts'
import { runningRequests } from '../../lib/steps/services/drain.ts'
import { openHost } from '../../lib/system/host.ts'
import { type HttpAnswer, http } from '../../lib/system/http.ts'
import { sections } from '../../lifecycle/cli/status/sections.ts'
import {
  answeredBy,
  ask,
  fleetKey,
  keys,
  logOf,
  settle,
  startCopilot,
  startRouter,
  type TestCopilot,
  type TestRouter,
  until,
} from './support/fleet.ts'

let one: TestCopilot
let two: TestCopilot
let router: TestRouter
const copilots = () => [one, two]
beforeAll(async () => {
  ;[one, two] = await Promise.all([startCopilot('one', 2), startCopilot('two', 2)])
  router = await startRouter([one.address, two.address])
})
afterAll(() => Promise.all([router?.close(), one?.stop(), two?.stop()]))
afterEach(() => settle(copilots()))

const nameOf = (copilot: TestCopilot) => (copilot === one ? 'one' : 'two')
const otherThan = (name: string) => (name === 'one' ? two : one)
const named = (name: string) => (name === 'one' ? one : two)

/** HAProxy's word on a copilot. */
async function stateOf(name: string): Promise<string | undefined> {
  const servers = await readServers(openHost({ env: {}, root: router.root }))
  return servers.find(server => server.name.includes(String(named(name).edge.httpsPort)))?.state
}

/** Sessions with the copilot that each is for. */
async function places(count: number, key = keys.alice): Promise<string[]> {
  const answers: string[] = []
  for (let index = 0; index < count; index += 1)
    answers.push(answeredBy(await ask(router, { key, session: `session-${index}` })))
  return answers
}

/** Holds so many streams open at the copilot that this session is for. */
async function occupy(session: string, count: number) {
  const name = answeredBy(await ask(router, { session }))
  const copilot = named(name)
  copilot.mode.is = 'hold'
  const streams: Promise<HttpAnswer>[] = []
  for (let index = 0; index < count; index += 1) {
    streams.push(ask(router, { session }))
    await until(() => copilot.open.size === index + 1)
  }
  return { name, streams, end: () => [...copilot.open].map(response => response.end()) }
}

describe('where requests go', () => {
  it('a session stays on its copilot over 50 requests', async () => {
    const answers = []
    for (let index = 0; index < 50; index += 1) answers.push(answeredBy(await ask(router, { session: 's' })))
    expect(new Set(answers).size).toBe(1)
  })

  it('sessions are spread', async () => {
    const answers = await places(40)
    for (const name of ['one', 'two'])
      expect(answers.filter(answer => answer === name).length).toBeGreaterThan(8)
  })

  it.each([
    ['x-session-affinity', {}],
    ['x-claude-code-session-id', {}],
    ['session-id', {}],
    ['x-session-id', {}],
    ['', { prompt_cache_key: 'k' }],
  ])('header %s, body %j name a session', async (header, sample) => {
    const answers = new Set<string>()
    for (let index = 0; index < 24; index += 1) {
      const value = `value-${index}`
      const body = Object.fromEntries(Object.keys(sample).map(name => [name, value]))
      const path = header === '' ? '/v1/responses' : undefined
      const send = { headers: header === '' ? {} : { [header]: value }, body, ...(path && { path }) }
      if (path) Object.assign(send.body, { input: 'Hi', messages: undefined })
      answers.add(answeredBy(await ask(router, send)))
    }
    expect([...answers].sort()).toEqual(['one', 'two'])
  })

  it('without a session, a key stays on one copilot', async () => {
    const answers = []
    for (let index = 0; index < 10; index += 1) answers.push(answeredBy(await ask(router)))
    expect(new Set(answers).size).toBe(1)
  })

  it('a full copilot’s session goes to the other, and comes back', async () => {
    const { name, streams, end } = await occupy('s', 2)
    expect(answeredBy(await ask(router, { session: 's' }))).toBe(nameOf(otherThan(name)))
    end()
    await Promise.all(streams)
    named(name).mode.is = 'answer'
    expect(answeredBy(await ask(router, { session: 's' }))).toBe(name)
  })

  it('only a full fleet refuses, within a second, and says when to try again', async () => {
    for (const copilot of copilots()) copilot.mode.is = 'hold'
    const streams = Array.from({ length: 4 }, (_, index) =>
      ask(router, { session: `s${index}`, key: index === 0 ? keys.bob : keys.alice }),
    )
    await until(() => one.open.size + two.open.size === 4)
    const started = performance.now()
    const { status, headers, body } = await ask(router, { session: 's9' })
    expect(performance.now() - started).toBeLessThan(1000)
    expect([status, JSON.parse(body).error.message]).toEqual([
      429,
      'All slots of the fleet are busy. Try again shortly.',
    ])
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    for (const copilot of copilots()) for (const response of copilot.open) response.end()
    expect((await Promise.all(streams)).map(answer => answer.status)).toEqual([200, 200, 200, 200])
  })
})

it('leaves the last slot of the fleet to other keys', async () => {
  for (const copilot of copilots()) copilot.mode.is = 'hold'
  const streams = Array.from({ length: 3 }, (_, index) => ask(router, { session: `s${index}` }))
  await until(() => one.open.size + two.open.size === 3)
  const { status, body } = await ask(router, { session: 's9' })
  expect([status, JSON.parse(body).error.message]).toEqual([
    429,
    expect.stringMatching(/all slots of the fleet but one/),
  ])
  streams.push(ask(router, { session: 's9', key: keys.bob }))
  await until(() => one.open.size + two.open.size === 4)
  for (const copilot of copilots()) for (const response of copilot.open) response.end()
  expect((await Promise.all(streams)).map(answer => answer.status)).toEqual([200, 200, 200, 200])
})

it('token counts take no slots, however many one key sends', async () => {
  for (const copilot of copilots()) copilot.mode.is = 'hold'
  const path = '/v1/chat/completions/input_tokens'
  const counts = Array.from({ length: 30 }, (_, index) => ask(router, { session: `s${index}`, path }))
  await until(() => one.open.size + two.open.size === 16)
  const streams = Array.from({ length: 3 }, (_, index) => ask(router, { session: `s${index}` }))
  streams.push(ask(router, { key: keys.bob }))
  await until(() => one.open.size + two.open.size === 20)
  expect((await ask(router, { key: keys.bob })).status).toBe(429)
  for (const copilot of copilots()) for (const response of copilot.open) response.end()
  expect((await Promise.all(streams)).map(answer => answer.status)).toEqual([200, 200, 200, 200])
  expect((await Promise.all(counts)).filter(({ status }) => status === 200)).toHaveLength(16)
})

it('says how many slots the fleet has', async () => {
  const { plan } = sections
  expect(await plan(openHost({ env: {}, root: router.root }))).toMatchObject({ state: 'routing', slots: 4 })
})

it('drains: what has begun is counted, and ends', async () => {
  const host = openHost({ env: {}, root: router.root })
  expect(await runningRequests(host)).toBe(0)
  const { streams, end } = await occupy('s', 2)
  expect(await runningRequests(host)).toBe(2)
  end()
  await Promise.all(streams)
  await expect.poll(() => runningRequests(host)).toBe(0)
})

describe('when a copilot fails', () => {
  afterEach(() => router.forget())

  it.each([503, 429, 502])(
    'its %d is passed over, with a body larger than HAProxy’s buffer',
    async status => {
      const name = answeredBy(await ask(router, { session: 's' }))
      named(name).mode.is = status
      const long = { messages: [{ role: 'user', content: 'word '.repeat(40_000) }] }
      const answer = await ask(router, { session: 's', body: long })
      expect([answer.status, answeredBy(answer)]).toEqual([200, nameOf(otherThan(name))])
    },
  )

  it('it is not asked again, even if the session’s first copilot, full before, has room now', async () => {
    const { name, streams, end } = await occupy('s', 2)
    const second = otherThan(name)
    second.mode.is = 'wait'
    const answer = ask(router, { session: 's', key: keys.bob })
    await until(() => second.waiting.length === 1)
    end()
    await Promise.all(streams)
    named(name).mode.is = 'answer'
    second.mode.is = 503
    second.waiting.pop()?.writeHead(503).end('{}')
    const { status } = await answer
    expect([status, answeredBy(await answer)]).toEqual([200, name])
  })

  it('the fleet is full if the others are', async () => {
    const { name, streams, end } = await occupy('s', 2)
    otherThan(name).mode.is = 503
    expect((await ask(router, { session: 's', key: keys.bob })).status).toBe(429)
    end()
    await Promise.all(streams)
  })

  it('a stream goes on although its copilot’s health check fails', async () => {
    const { name, streams, end } = await occupy('s', 1)
    named(name).health.status = 503
    try {
      // A copilot that cannot be reached has its streams ended after two seconds.
      await expect.poll(() => stateOf(name), { timeout: 20_000 }).toBe('DOWN')
      await setTimeout(4000)
      end()
      expect((await streams[0])?.body).toContain('"content"')
      expect(router.output()).not.toContain('Looking for vanished copilots')
    } finally {
      named(name).health.status = 200
      await expect.poll(() => stateOf(name), { timeout: 20_000 }).toBe('UP')
    }
  })

  it('a stream that it does not end is cut off, and not repeated', async () => {
    const name = answeredBy(await ask(router, { session: 's' }))
    named(name).mode.is = 'hold'
    const before = otherThan(name).bodies.length
    const stream = ask(router, { session: 's' })
    await until(() => named(name).open.size === 1)
    for (const response of named(name).open) response.destroy()
    await expect(stream).rejects.toThrow(/aborted|hang up|closed/)
    expect(otherThan(name).bodies.length).toBe(before)
    named(name).mode.is = 'answer'
    expect((await ask(router, { session: 's' })).status).toBe(200)
  })
})

describe('connections to copilots', () => {
  /** How many there have been. */
  const connections = async () => {
    const headers = { authorization: `Bearer ${keys.alice}` }
    const { body } = await http({ url: `${router.url}/metrics`, ca: router.ca, headers, timeout: 10 })
    const counts = [...body.matchAll(/^haproxy_server_connection_attempts_total\{.*\} (\d+)$/gm)]
    expect(counts).toHaveLength(2)
    return counts.reduce((sum, [, count]) => sum + Number(count), 0)
  }

  it('are kept from one request to the next', async () => {
    await ask(router, { session: 's' })
    const before = await connections()
    for (let index = 0; index < 20; index += 1) await ask(router, { session: 's' })
    expect(await connections()).toBe(before)
  })

  it('that a copilot has closed are noticed: the session stays on it', async () => {
    const answers = []
    for (let index = 0; index < 10; index += 1) {
      answers.push(answeredBy(await ask(router, { session: 's' })))
      await named(answers[0] as string).edge.reloadNginx()
    }
    expect(new Set(answers).size).toBe(1)
  })
})

describe('whose requests are', () => {
  it('the copilot gets the fleet’s key, the tenant’s salt and name, and the request’s id', async () => {
    const answer = await ask(router, { key: keys.bob, session: 's' })
    const copilot = named(answeredBy(answer))
    expect(copilot.bodies.at(-1)).toContain(saltOf(keys.bob))
    expect(copilot.bodies.at(-1)).not.toContain(keys.bob)
    const id = String(answer.headers['x-request-id'])
    for (const edge of [router, copilot.edge]) {
      const line = () =>
        logOf(edge)
          .split('\n')
          .find(text => text.includes(id))
      await until(() => line() !== undefined)
      expect(line()).toMatch(/tenant=bob /)
    }
  })

  it.each([
    ['a developer’s key of the router’s', keys.alice, 'bob', 401],
    ['the fleet’s key without a tenant', fleetKey, undefined, 401],
    ['the fleet’s key with a name that no key has', fleetKey, 'a b', 401],
    ['the fleet’s key', fleetKey, 'bob', 200],
  ])('at a copilot itself: %s', async (_, key, tenant, status) => {
    const headers = { ...(tenant !== undefined && { 'x-copilot-fleet-tenant': tenant }) }
    expect((await ask(one.edge, { key, headers })).status).toBe(status)
  })

  it('with its own key, a copilot takes neither tenant nor salt from a header', async () => {
    const headers = { 'x-copilot-fleet-tenant': 'bob', 'x-copilot-fleet-salt': saltOf(keys.bob) }
    expect((await ask(one.edge, { key: one.edge.key, headers })).status).toBe(200)
    expect(one.bodies.at(-1)).toContain(saltOf(one.edge.key))
    expect(one.bodies.at(-1)).not.toContain(saltOf(keys.bob))
  })

  it('a client of the router cannot speak for another tenant', async () => {
    const headers = { 'x-copilot-fleet-tenant': 'bob', 'x-copilot-fleet-salt': saltOf(keys.bob) }
    const copilot = named(answeredBy(await ask(router, { session: 's', headers })))
    expect(copilot.bodies.at(-1)).toContain(saltOf(keys.alice))
    expect(copilot.bodies.at(-1)).not.toContain(saltOf(keys.bob))
  })

  it('is refused without a key, and with the fleet’s', async () => {
    const headers = { 'x-copilot-fleet-tenant': 'bob' }
    expect((await ask(router, { key: 'not-a-key-at-all' })).status).toBe(401)
    expect((await ask(router, { key: fleetKey })).status).toBe(401)
    expect((await ask(router, { key: fleetKey, headers })).status).toBe(401)
  })

  it('learns that it is not the client’s key that a copilot refuses', async () => {
    const name = answeredBy(await ask(router, { session: 's' }))
    named(name).mode.is = 401
    const { status, body } = await ask(router, { session: 's' })
    expect([status, JSON.parse(body).error.message]).toEqual([
      503,
      expect.stringMatching(/does not accept the key of this router/),
    ])
  })
})

describe('what else a router answers', () => {
  const get = (path: string) =>
    http({
      url: router.url + path,
      ca: router.ca,
      headers: { authorization: `Bearer ${keys.alice}` },
      timeout: 10,
    })

  it.each([
    ['/health', /"ok"/],
    ['/v1/models', /"sentence"/],
    ['/v1/models/sentence', /"sentence"/],
    ['/props', /"total_slots":2/],
    ['/metrics', /haproxy_server_current_sessions/],
    ['/', /The machines behind this address/],
  ])('%s', async (path, text) => {
    const { status, body } = await get(path)
    expect(body).toMatch(text)
    expect(status).toBe(200)
  })

  it.each([
    ['{"messages": [', 400],
    ['[]', 400],
  ])('%s: %d', async (text, status) => {
    const { request } = await import('node:https')
    const answer = await new Promise<number>((resolve, reject) => {
      const sent = request(
        `${router.url}/v1/chat/completions`,
        {
          method: 'POST',
          ca: router.ca,
          headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' },
        },
        response => resolve(response.resume().statusCode ?? 0),
      )
      sent.on('error', reject).end(text)
    })
    expect(answer).toBe(status)
  })
})
