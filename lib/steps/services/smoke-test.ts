/** The smoke test: sends client requests through TLS and nginx. */
import { ownHeaders } from '../../appliance/usage/log-format.ts'
import type { Host } from '../../system/host.ts'
import type { HttpAnswer, HttpRequest, ServerTrust } from '../../system/http.ts'
import { whileWaiting } from '../../system/waiting.ts'

export type Endpoint = ServerTrust & {
  /** `https://host[:port]`, with or without `/v1`. */
  url: string
  key: string
}

/** `light` takes no slot, so it does not slow down other clients. */
export type Depth = 'full' | 'light'

/** Seconds that a completion may take on a slow machine. */
const completionTimeout = 120

type SmokeTestHost = Pick<Host, 'http' | 'log'>
type SendRequest = (path: string, request?: Partial<HttpRequest>) => Promise<HttpAnswer>
type SmokeTestCheck = {
  name: string
  depth: Depth
  run(ask: SendRequest, authorized: Record<string, string>): Promise<string>
}

const question = { messages: [{ role: 'user', content: 'Say hello.' }], max_tokens: 24 }

/** Throws unless the answer has this status. */
function expectStatus(answer: HttpAnswer, status: number) {
  if (answer.status === status) return
  throw new Error(`answered ${answer.status} instead of ${status}: ${answer.body.slice(0, 300)}`)
}

/** The data of a stream's events (HTML standard, server-sent events), without comments. */
export const eventsOf = (body: string) =>
  body
    .split('\n')
    .filter(line => line.startsWith('data: '))
    .map(line => line.slice('data: '.length).trim())

const checks: SmokeTestCheck[] = [
  {
    name: 'health',
    depth: 'light',
    run: async ask => {
      expectStatus(await ask('/health'), 200)
      return 'serving'
    },
  },
  {
    name: 'no key',
    depth: 'light',
    run: async ask => {
      expectStatus(await ask('/v1/models', { headers: ownHeaders }), 401)
      return 'refused'
    },
  },
  {
    name: 'models',
    depth: 'light',
    run: async (ask, headers) => {
      const answer = await ask('/v1/models', { headers })
      expectStatus(answer, 200)
      const { data } = JSON.parse(answer.body) as { data: { id: string }[] }
      if (data.length === 0) throw new Error('the list of models is empty')
      return data.map(({ id }) => id).join(', ')
    },
  },
  {
    name: 'completion',
    depth: 'full',
    run: async (ask, headers) => {
      const answer = await ask('/v1/chat/completions', {
        headers,
        json: question,
        timeout: completionTimeout,
      })
      if (answer.status === 429) return 'all slots are busy'
      expectStatus(answer, 200)
      const { usage } = JSON.parse(answer.body) as { usage?: { completion_tokens: number } }
      if (!usage?.completion_tokens) throw new Error(`the answer has no tokens: ${answer.body.slice(0, 300)}`)
      return `${usage.completion_tokens} tokens`
    },
  },
  {
    name: 'stream',
    depth: 'full',
    run: async (ask, headers) => {
      const json = { ...question, stream: true }
      const start = performance.now()
      const answer = await ask('/v1/chat/completions', { headers, json, timeout: completionTimeout })
      if (answer.status === 429) return 'all slots are busy'
      expectStatus(answer, 200)
      const events = eventsOf(answer.body)
      if (events.at(-1) !== '[DONE]')
        throw new Error(`the stream ended without [DONE]: ${answer.body.slice(-300)}`)
      // What a fast model writes within a moment may be read at once.
      if (answer.arrivals.length < 3 && performance.now() - start > 1000)
        throw new Error(
          `${events.length} events came in too few pieces (${answer.arrivals.length}): something buffers the stream`,
        )
      return `${events.length} events in ${answer.arrivals.length} chunks`
    },
  },
]

/** Runs the checks and logs each. Throws at the first failure, naming the check, the URL and the answer. */
export async function smokeTest(
  { http, log }: SmokeTestHost,
  { url, key, ...trust }: Endpoint,
  depth: Depth,
): Promise<void> {
  const base = url.replace(/\/(v1\/?)?$/, '')
  const authorized = { ...ownHeaders, authorization: `Bearer ${key}` }
  const ask: SendRequest = (path, request) =>
    http({ ...trust, url: `${base}${path}`, timeout: 30, ...request })
  for (const { name, run } of checks.filter(check => depth === 'full' || check.depth === 'light')) {
    const start = performance.now()
    const seconds = () => Math.round((performance.now() - start) / 1000)
    const stopReporting = whileWaiting(() =>
      log.info(`Smoke test: ${name}: no answer yet after ${seconds()} s`),
    )
    try {
      const found = await run(ask, authorized)
      log.info(`Smoke test: ${name}: ${found} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
    } catch (error) {
      throw new Error(`Smoke test failed: ${name} at ${base}: ${(error as Error).message}`, { cause: error })
    } finally {
      stopReporting()
    }
  }
}
