/** What a router itself costs: the time that it adds to a request, its memory for a stream, its CPU time for a token. */
import { setTimeout } from 'node:timers/promises'
import {
  ask,
  startCopilot,
  startRouter,
  type TestCopilot,
  type TestRouter,
} from '../../integration/support/fleet.ts'
import { type AddedTime, addedTimes } from './times.ts'
import { since, usedBy } from './usage.ts'

/** Keys, of which none may have too many requests in progress; streams of each; and tokens of each stream. */
const load = { keys: 16, streams: 8, tokens: 60 }
/** Bytes of a request: an agent's conversation of about 30,000 tokens. */
const bodySize = 120_000
/** Milliseconds between two tokens of a stream: faster than in truth, so that a second has enough of them. */
const pace = 50

const keyOf = (index: number) => `key-of-developer-${index}`
const keys = Array.from({ length: load.keys }, (_, index) => `developer-${index}=${keyOf(index)}`).join('\n')

export type RouterCosts = {
  /** One of each run. */
  times: AddedTime[]
  /** For an open stream, bytes; for a request and for a token, seconds of CPU. */
  stream: { nginx: number; haproxy: number }
  request: { nginx: number; haproxy: number }
  token: { nginx: number; haproxy: number }
}

const text = 'word '.repeat(bodySize / 5)

/** Opens all streams, then sends tokens through them. */
async function costsOf(copilots: TestCopilot[], router: TestRouter): Promise<Omit<RouterCosts, 'times'>> {
  const processes = { nginx: router.workers(), haproxy: [router.admissionPid() as number] }
  const used = () => ({ nginx: usedBy(processes.nginx), haproxy: usedBy(processes.haproxy) })
  const usedSince = (before: ReturnType<typeof used>) => ({
    nginx: since(before.nginx, processes.nginx),
    haproxy: since(before.haproxy, processes.haproxy),
  })
  const open = () => copilots.flatMap(copilot => [...copilot.open])
  const count = load.keys * load.streams
  for (const copilot of copilots) copilot.mode.is = 'hold'

  const before = used()
  const streams = Array.from({ length: count }, (_, index) =>
    ask(router, {
      key: keyOf(index % load.keys),
      session: `session-${index}`,
      body: { messages: [{ role: 'user', content: text }] },
      timeout: 120,
    }),
  )
  while (open().length < count) await setTimeout(50)
  const opened = usedSince(before)

  const begun = used()
  for (let token = 0; token < load.tokens; token += 1) {
    for (const response of open()) response.write(`data: {"choices":[{"delta":{"content":"word"}}]}\n\n`)
    await setTimeout(pace)
  }
  const sent = usedSince(begun)
  for (const response of open()) response.end('data: [DONE]\n\n')
  await Promise.all(streams)

  const each = (part: 'nginx' | 'haproxy') => ({
    stream: opened[part].bytes / count,
    request: opened[part].seconds / count,
    token: sent[part].seconds / (count * load.tokens),
  })
  const [nginx, haproxy] = [each('nginx'), each('haproxy')]
  return {
    stream: { nginx: nginx.stream, haproxy: haproxy.stream },
    request: { nginx: nginx.request, haproxy: haproxy.request },
    token: { nginx: nginx.token, haproxy: haproxy.token },
  }
}

export async function measureRouter(): Promise<RouterCosts> {
  const copilots = [
    await startCopilot('one', 64),
    await startCopilot('two', 64),
    await startCopilot('three', 64),
  ]
  const router = await startRouter(
    copilots.map(({ address }) => address),
    { ONEAPP_COPILOT_KEYS: keys },
  )
  try {
    const times = await addedTimes(copilots[0] as TestCopilot, router, keyOf(0))
    return { times, ...(await costsOf(copilots, router)) }
  } finally {
    await router.close()
    for (const copilot of copilots) await copilot.stop()
  }
}
