/** The time that a router adds to a request that is answered at once. */
import { Agent, request } from 'node:https'
import { loadavg } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { TestCopilot, TestRouter } from '../../integration/support/fleet.ts'
import { quantile } from './quantile.ts'

const runs = 3
const requests = { first: 30, timed: 400 }
/** Milliseconds between two requests: what one leaves to be done does not delay the next, nor does the limit on their rate. */
const pause = 15

/** Median and 99th percentile, in milliseconds. */
export type Times = { median: number; most: number }

/** One run. `noise`: between two requests to the copilot itself; `added`: between that and one through the router. */
export type AddedTime = { load: number; direct: Times; routed: Times; added: Times; noise: Times }

type Door = { url: string; ca: string; key: string }

/** Sends requests over one connection, as clients do. Resolves with the milliseconds of each. */
function sender({ url, ca, key }: Door): () => Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], stream: true })
  return () =>
    new Promise((resolve, reject) => {
      const start = performance.now()
      const options = { method: 'POST', ca, agent, headers }
      const sent = request(`${url}/v1/chat/completions`, options, response => {
        const { statusCode } = response
        if (statusCode !== 200) reject(new Error(`answered ${statusCode}`))
        response.resume().on('end', () => resolve(performance.now() - start))
      })
      sent.on('error', reject).end(body)
    })
}

const timesOf = (list: number[]): Times => ({ median: quantile(list, 0.5), most: quantile(list, 0.99) })

export async function addedTimes(
  copilot: TestCopilot,
  router: TestRouter,
  key: string,
): Promise<AddedTime[]> {
  const doors = [copilot.edge, copilot.edge, { ...router, key }].map(sender)
  const measured: AddedTime[] = []
  for (let run = 0; run < runs; run += 1) {
    const lists: number[][] = doors.map(() => [])
    for (let index = 0; index < requests.first + requests.timed; index += 1)
      for (const [door, send] of doors.entries()) {
        await setTimeout(pause)
        const milliseconds = await send()
        if (index >= requests.first) lists[door]?.push(milliseconds)
      }
    const [direct = [], again = [], routed = []] = lists
    const beyond = (list: number[]) => list.map((value, index) => value - (direct[index] ?? 0))
    measured.push({
      load: loadavg()[0] ?? 0,
      direct: timesOf(direct),
      routed: timesOf(routed),
      added: timesOf(beyond(routed)),
      noise: timesOf(beyond(again)),
    })
  }
  return measured
}
