/** A streamed generation on a connection of its own: whether it was admitted, and its events as they arrive. */
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { setTimeout } from 'node:timers/promises'
import { eventsOf } from '../../../lib/steps/services/smoke-test.ts'
import type { Edge } from './stack.ts'

export type Generation = {
  status: number
  /** Seconds, from the header; NaN where there is none. */
  retryAfter: number
  /** The events so far, `[DONE]` among them. */
  events(): string[]
  /** Resolves once this many events have arrived, or the stream has ended. */
  until(events: number): Promise<void>
  /** Resolves however it ends. */
  ended: Promise<void>
  disconnect(): void
}

/** Reads as fast as it can, unless `read` does otherwise. Rejects when there is no response at all. */
export function generate(
  edge: Edge,
  key: string,
  path: string,
  json: object,
  read: (answer: IncomingMessage) => AsyncIterable<Buffer> = answer => answer,
): Promise<Generation> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const options = { method: 'POST', headers, ca: edge.ca, agent: false as const }
  return new Promise((resolve, reject) => {
    const sent = request(`${edge.url}${path}`, options, answer => {
      const pieces: Buffer[] = []
      const events = () => eventsOf(Buffer.concat(pieces).toString())
      let isOver = false
      const take = async () => {
        for await (const piece of read(answer)) pieces.push(piece)
      }
      // An answer that is cut off also ends the stream; callers see it in the events.
      const end = () => {
        isOver = true
      }
      const ended = take().then(end, end)
      const until = async (count: number) => {
        while (!isOver && events().length < count) await setTimeout(20)
      }
      resolve({
        status: answer.statusCode ?? 0,
        retryAfter: Number(answer.headers['retry-after']),
        events,
        until,
        ended,
        disconnect: () => sent.destroy(),
      })
    })
    sent.on('error', reject)
    sent.end(JSON.stringify({ stream: true, ...json }))
  })
}
