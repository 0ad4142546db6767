/** A streamed answer as it arrives, over HTTP/1.1 or HTTP/2; and a generation, whose events are counted. */
import { type ClientHttp2Session, constants } from 'node:http2'
import { request } from 'node:https'
import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { eventsOf } from '../../../lib/steps/services/smoke-test.ts'
import type { Edge } from './stack.ts'

/** Yields what it has read of an answer. */
export type ReadAnswer = (answer: Readable) => AsyncIterable<Buffer>

export type OpenedStream = {
  status: number
  headers: Record<string, unknown>
  /** What has arrived so far. */
  text(): string
  /** Resolves once what has arrived satisfies the condition; rejects when the stream ends before. */
  until(isEnough: (text: string) => boolean): Promise<void>
  /** Resolves however it ends: true where the server completed it. */
  ended: Promise<boolean>
  disconnect(): void
}

export type StreamRequest = {
  edge: Pick<Edge, 'url' | 'ca'>
  /** An HTTP/2 session; without one, the request uses HTTP/1.1 on a connection of its own. */
  session?: ClientHttp2Session | undefined
  path: string
  headers: Record<string, string>
  json: unknown
  /** By default as fast as it can. */
  read?: ReadAnswer | undefined
}

/** Sends a POST request; resolves once the response's headers have arrived. */
export const openStream = (wanted: StreamRequest): Promise<OpenedStream> =>
  wanted.session === undefined ? openOverHttp1(wanted) : openOverHttp2(wanted.session, wanted)

const openOverHttp1 = ({ edge, path, headers, json, read }: StreamRequest) =>
  new Promise<OpenedStream>((resolve, reject) => {
    const options = { method: 'POST', headers, ca: edge.ca, agent: false as const }
    const sent = request(`${edge.url}${path}`, options, response =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        ...collected(response, read),
        disconnect: () => sent.destroy(),
      }),
    )
    sent.on('error', reject)
    sent.end(JSON.stringify(json))
  })

const openOverHttp2 = (session: ClientHttp2Session, { path, headers, json, read }: StreamRequest) =>
  new Promise<OpenedStream>((resolve, reject) => {
    const sent = session.request({ ':method': 'POST', ':path': path, ...headers })
    sent.on('error', reject)
    sent.on('response', response =>
      resolve({
        status: response[':status'] ?? 0,
        headers: response,
        ...collected(sent, read),
        disconnect: () => sent.close(constants.NGHTTP2_CANCEL),
      }),
    )
    sent.end(JSON.stringify(json))
  })

function collected(
  body: Readable,
  read: ReadAnswer = answer => answer,
): Pick<OpenedStream, 'text' | 'until' | 'ended'> {
  const decoder = new TextDecoder()
  let text = ''
  let wake = () => {}
  let isOver = false
  const take = async () => {
    for await (const piece of read(body)) {
      text += decoder.decode(piece, { stream: true })
      wake()
    }
  }
  const end = (isComplete: boolean) => {
    isOver = true
    wake()
    return isComplete
  }
  const ended = take().then(
    () => end(true),
    () => end(false),
  )
  const until = async (isEnough: (text: string) => boolean) => {
    while (!isEnough(text)) {
      if (isOver) throw new Error(`The stream ended with: ${text.slice(-500)}`)
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  return { text: () => text, until, ended }
}

export type Generation = OpenedStream & {
  /** Seconds, from the header; NaN where there is none. */
  retryAfter: number
  /** The events so far, `[DONE]` among them. */
  events(): string[]
  /** Resolves once this many events have arrived, or the stream has ended. */
  untilEvents(count: number): Promise<void>
}

/** A streamed generation on a connection of its own. Rejects when there is no response at all. */
export async function generate(
  edge: Edge,
  key: string,
  path: string,
  json: object,
  read?: ReadAnswer,
): Promise<Generation> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const stream = await openStream({ edge, path, headers, json: { stream: true, ...json }, read })
  const events = () => eventsOf(stream.text())
  return {
    ...stream,
    retryAfter: Number(stream.headers['retry-after']),
    events,
    async untilEvents(count) {
      let isOver = false
      // An answer that is cut off ends the stream, too; callers see it in the events.
      void stream.ended.then(() => {
        isOver = true
      })
      // Not at each piece: an endless answer has thousands, and its events are counted from its beginning.
      while (!isOver && events().length < count) await setTimeout(20)
    },
  }
}
