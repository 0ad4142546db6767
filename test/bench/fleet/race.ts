/** Refusals in real time, through edge proxy and HAProxy: whether a slot was free, and for how long it had been. */
import type { ServerResponse } from 'node:http'
import { loadavg } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import {
  ask,
  startCopilot,
  startRouter,
  type TestCopilot,
  type TestRouter,
} from '../../integration/support/fleet.ts'
import { quantile } from './quantile.ts'

const names = ['one', 'two', 'three']
const slots = 8
const clients = 40
const keys = Array.from({ length: 16 }, (_, index) => `key-of-developer-${index}`)
/** Milliseconds of the run, of an answer and of a refused client's pause in the mean: a slot is taken soon after it is free. */
const duration = { run: 20_000, answer: 2000, pause: 500 }

export type Race = {
  load: number
  requests: number
  refused: number
  /** Of the refused: a slot was free when the client read the refusal; or already when it sent the request. */
  freeAtEnd: number
  freeAllAlong: number
  /** Milliseconds for which that slot had been free when the client read the refusal. */
  median: number
  most: number
}

/** Ends each copilot's streams after a while. Returns since when it has had a free slot, if it has one. */
function serve(copilot: TestCopilot): () => number | undefined {
  let freeSince: number | undefined = performance.now()
  let busy = 0
  copilot.mode.is = 'hold'
  const add = copilot.open.add.bind(copilot.open)
  copilot.open.add = (response: ServerResponse) => {
    busy += 1
    if (busy >= slots) freeSince = undefined
    void setTimeout(Math.random() * 2 * duration.answer).then(() => {
      busy -= 1
      freeSince ??= performance.now()
      response.end('data: [DONE]\n\n')
    })
    return add(response)
  }
  return () => freeSince
}

/** More clients than slots; each asks again once it was answered, or a little after it was refused. */
async function raceFor(copilots: TestCopilot[], router: TestRouter): Promise<Race> {
  const freeSince = copilots.map(copilot => serve(copilot))
  const end = performance.now() + duration.run
  const times: number[] = []
  const counts = { requests: 0, refused: 0, freeAllAlong: 0 }
  const client = async (index: number) => {
    while (performance.now() < end) {
      const sent = performance.now()
      counts.requests += 1
      const { status } = await ask(router, {
        key: keys[index % keys.length] ?? '',
        session: `session-${index}`,
      })
      if (status !== 429) continue
      counts.refused += 1
      const since = freeSince.map(when => when()).filter(when => when !== undefined)
      if (since.length > 0) times.push(performance.now() - Math.min(...since))
      if (since.some(when => when < sent)) counts.freeAllAlong += 1
      await setTimeout(Math.random() * 2 * duration.pause)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)))
  const [median, most] = times.length === 0 ? [0, 0] : [quantile(times, 0.5), quantile(times, 0.99)]
  return { load: loadavg()[0] ?? 0, ...counts, freeAtEnd: times.length, median, most }
}

export async function measureRace(): Promise<Race> {
  const copilots = await Promise.all(names.map(name => startCopilot(name, slots)))
  const named = keys.map((key, index) => `developer-${index}=${key}`).join('\n')
  const addresses = copilots.map(({ address }) => address)
  const router = await startRouter(addresses, { ONEAPP_COPILOT_KEYS: named })
  try {
    return await raceFor(copilots, router)
  } finally {
    await router.close()
    for (const copilot of copilots) await copilot.stop()
  }
}
