/** Completion, embeddings and reranking behind a router: they go to the copilots that have them. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { http } from '../../lib/system/http.ts'
import {
  answeredBy,
  ask,
  keys,
  nodeOf,
  settle,
  startCopilot,
  startOneGate,
  startRouter,
  type TestCopilot,
  type TestRouter,
  until,
} from './support/fleet.ts'

const published = new Map<TestCopilot, string>()
let oneGate: { url: string; close(): void }
let plain: TestCopilot
let rich: TestCopilot
let router: TestRouter

beforeAll(async () => {
  plain = await startCopilot('plain', 2)
  rich = await startCopilot('rich', 2, ['completion', 'embeddings', 'reranking'])
  published.set(plain, 'none').set(rich, 'completion=infill embeddings=vectors reranking=ranker')
  oneGate = await startOneGate((_, response) => {
    response.end(
      JSON.stringify({
        SERVICE: {
          roles: [
            {
              nodes: [...published].map(([copilot, services]) =>
                nodeOf(copilot, { ONEAPP_COPILOT_SERVICES: services }),
              ),
            },
          ],
        },
      }),
    )
  })
  router = await startRouter([], {}, oneGate.url)
})
afterAll(async () => {
  oneGate?.close()
  await Promise.all([plain?.stop(), rich?.stop(), router?.close()])
})
afterEach(() => settle([plain, rich], '"path":""}'))

const vectors = { path: '/v1/embeddings', body: { input: 'x', messages: undefined, stream: undefined } }
const requests: { path: string; body: Record<string, unknown> }[] = [
  vectors,
  { path: '/v1/rerank', body: { query: 'q', documents: ['d'] } },
  { path: '/infill', body: { input_prefix: 'a', input_suffix: 'b' } },
  { path: '/v1/completions', body: { prompt: 'a', suffix: 'b' } },
  { path: '/v1/completions', body: { prompt: 'a', model: 'infill' } },
]

const askFor = (one: TestRouter, { path, body }: (typeof requests)[number], session: string) =>
  ask(one, { path, session, body: { messages: undefined, stream: undefined, ...body } })

it.each(requests)('$path with $body is answered by a copilot that has the service', async request => {
  const answers = new Set<string>()
  for (let index = 0; index < 6; index += 1)
    answers.add(answeredBy(await askFor(router, request, `s${index}`)))
  expect([...answers]).toEqual(['rich'])
})

it('copilots that are named by hand say which services they have', async () => {
  const other = await startRouter([plain.address, rich.address])
  try {
    const answers = new Set<string>()
    for (let index = 0; index < 6; index += 1)
      for (const request of requests.slice(0, 3))
        answers.add(answeredBy(await askFor(other, request, `s${index}`)))
    expect([...answers]).toEqual(['rich'])
  } finally {
    await other.close()
  }
})

it('lists the models of the services', async () => {
  const { body } = await http({
    url: `${router.url}/v1/models`,
    ca: router.ca,
    headers: { authorization: `Bearer ${keys.alice}` },
    timeout: 10,
  })
  expect(JSON.parse(body).data.map(({ id }: { id: string }) => id)).toEqual([
    'infill',
    'ranker',
    'sentence',
    'vectors',
  ])
})

describe('slots', () => {
  it.each(requests)('$path with $body takes none of chat’s', async request => {
    rich.mode.is = 'hold'
    // As many as one key may have in progress on a copilot, and as many as that has slots.
    const held = [1, 2].map(() => askFor(router, request, 's'))
    await until(() => rich.open.size === 2)
    plain.mode.is = 'hold'
    const chats = [1, 2, 3].map(index => ask(router, { session: `s${index}` }))
    await until(() => plain.open.size + rich.open.size === 5)
    // All but the last slot, which is kept for other keys.
    expect((await ask(router, { session: 's9' })).status).toBe(429)
    for (const copilot of [plain, rich]) for (const response of copilot.open) response.end('"path":""}')
    expect((await Promise.all([...held, ...chats])).map(({ status }) => status)).toEqual(Array(5).fill(200))
  })

  it('chat takes none of theirs', async () => {
    for (const copilot of [plain, rich]) copilot.mode.is = 'hold'
    const chats = [1, 2, 3].map(index => ask(router, { session: `s${index}` }))
    await until(() => plain.open.size + rich.open.size === 3)
    rich.mode.is = 'answer'
    expect(answeredBy(await ask(router, vectors))).toBe('rich')
    for (const copilot of [plain, rich]) for (const response of copilot.open) response.end()
    await Promise.all(chats)
  })
})

describe('where no copilot has the service', () => {
  beforeAll(async () => {
    published.delete(rich)
    await router.sync()
  })

  it.each([
    ['/v1/embeddings', vectors.body, 404, 'No copilot of the fleet has a service for embeddings.'],
    [
      '/v1/rerank',
      { query: 'q', documents: ['d'] },
      404,
      'No copilot of the fleet has a service for reranking.',
    ],
    ['/v1/completions', { prompt: 'a', suffix: 'b' }, 400, /suffix: not supported/],
  ])('%s is refused, and says so', async (path, body, status, message) => {
    const answer = await ask(router, { path, body: { messages: undefined, stream: undefined, ...body } })
    expect([answer.status, JSON.parse(answer.body).error.message]).toEqual([
      status,
      typeof message === 'string' ? message : expect.stringMatching(message),
    ])
  })

  it('one that does not say what it has is asked', async () => {
    published.set(plain, '')
    await router.sync()
    const { status, body } = await ask(router, vectors)
    expect([status, JSON.parse(body).error.message]).toEqual([
      404,
      'There is no service for embeddings on this appliance.',
    ])
  })
})
