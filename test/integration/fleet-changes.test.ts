/** Copilots join, leave and change while a router serves, as OneGate or the context names them. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { mostBackends } from '../../lib/appliance/fleet/backends.ts'
import { http } from '../../lib/system/http.ts'
import { countMoves } from '../bench/fleet/moves.ts'
import {
  answeredBy,
  ask,
  keys,
  nodeOf,
  startCopilot,
  startOneGate,
  startRouter,
  type TestCopilot,
  type TestRouter,
  until,
} from './support/fleet.ts'

let oneGate: { url: string; close(): void }
let service: { status: number; text: string }
let one: TestCopilot
let two: TestCopilot
let router: TestRouter

/** Names that both accept, so that only the router makes a difference. */
const [a, b] = ['sentence', 'default']

const vm = (copilot: TestCopilot, model: string, changes: Record<string, string> = {}) =>
  nodeOf(copilot, { ONEAPP_COPILOT_SERVED_MODEL: model, ...changes })

/** What OneGate answers from now on; resolves with what the router logs. */
const told = (...nodes: object[]): Promise<string[]> => {
  service = { status: 200, text: JSON.stringify({ SERVICE: { roles: [{ name: 'copilot', nodes }] } }) }
  return router.sync()
}

beforeAll(async () => {
  service = { status: 404, text: '' }
  oneGate = await startOneGate((request, response) => {
    const isAsked = request.url === '/service?extended=true' && request.headers['x-onegate-token'] === 't'
    response.writeHead(isAsked ? service.status : 401).end(service.text)
  })
  ;[one, two] = await Promise.all([startCopilot('one', 2), startCopilot('two', 2)])
  router = await startRouter([], {}, oneGate.url)
})
afterAll(async () => {
  oneGate?.close()
  await Promise.all([one?.stop(), two?.stop(), router?.close()])
})

const get = async (path: string) =>
  (
    await http({
      url: router.url + path,
      ca: router.ca,
      headers: { authorization: `Bearer ${keys.alice}` },
      timeout: 10,
    })
  ).body

/** Who has answered a dozen sessions. */
async function answering(body: Record<string, unknown> = {}): Promise<string[]> {
  const names = new Set<string>()
  for (let index = 0; index < 12; index += 1)
    names.add(answeredBy(await ask(router, { session: `s${index}`, body })))
  return [...names].sort()
}

it('serves nobody yet, and says so', async () => {
  const { status, headers, body } = await ask(router)
  expect([status, JSON.parse(body).error.message]).toEqual([
    503,
    'No copilot of the fleet is ready. Try again shortly.',
  ])
  expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  expect(JSON.parse(await get('/v1/models')).data).toEqual([])
})

it('a copilot joins, then another', async () => {
  expect((await told(vm(one, a))).join()).toMatch(/joins the fleet: sentence, 2 slots/)
  expect(await answering()).toEqual(['one'])
  await told(vm(one, a), vm(two, b))
  expect(await answering()).toEqual(['one', 'two'])
  expect(await told(vm(one, a), vm(two, b))).toEqual([])
})

it.each([
  [a, ['one']],
  [b, ['two']],
])('a request that names the model %s goes to %j', async (model, names) => {
  expect(await answering({ model })).toEqual(names)
})

it('lists the models of all', async () => {
  expect(JSON.parse(await get('/v1/models')).data.map(({ id }: { id: string }) => id)).toEqual([b, a])
})

it('one that leaves ends its streams, and gets nothing new', async () => {
  one.mode.is = 'hold'
  const stream = ask(router, { body: { model: a } })
  await until(() => one.open.size === 1)
  expect((await told(vm(one, a, { ONEAPP_COPILOT_DRAINING: 'YES' }), vm(two, b))).join()).toMatch(/leaves/)
  expect(await answering()).toEqual(['two'])
  for (const response of one.open) response.end('data: [DONE]\n\n')
  expect((await stream).body).toContain('[DONE]')
  one.mode.is = 'answer'
  await router.sync()
  expect(await get('/metrics')).not.toContain(`copilot-${one.edge.httpsPort}_`)
  await told(vm(one, a), vm(two, b))
  expect(await answering()).toEqual(['one', 'two'])
})

it('another’s certificate is not accepted', async () => {
  await told(vm(one, a), vm(two, b, { ONEAPP_COPILOT_CA: Buffer.from(one.edge.ca).toString('base64') }))
  expect(await answering()).toEqual(['one'])
  await told(vm(one, a), vm(two, b))
})

it.each([
  ['fails', { status: 500, text: '' }],
  ['answers nonsense', { status: 200, text: '<html>' }],
])('while OneGate %s, the last known copilots stay', async (_, answer) => {
  service = answer
  expect((await router.sync()).join()).toMatch(/not fully known/)
  expect(await router.sync()).toEqual([])
  expect(await answering()).toEqual(['one', 'two'])
  expect((await told(vm(one, a), vm(two, b))).join()).toMatch(/known again/)
})

it('one whose fingerprint is another’s does not join', async () => {
  const wrong = `${two.edge.url}=${one.address.split('=')[1]}`
  const other = await startRouter([one.address, wrong])
  try {
    const names = new Set<string>()
    for (let index = 0; index < 8; index += 1)
      names.add(answeredBy(await ask(other, { session: `s${index}` })))
    expect([...names]).toEqual(['one'])
  } finally {
    await other.close()
  }
})

it('in the largest fleet, one more copilot takes over its share of the sessions, and no other session moves', async () => {
  // Several ask at once: HAProxy must not interrupt one request's choice by another's.
  const { gained, between } = await countMoves(mostBackends - 1, 'ours')
  expect(between).toBe(0)
  expect(gained).toBeLessThan(0.02)
})
