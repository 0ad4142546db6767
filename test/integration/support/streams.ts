/** A streamed answer as it arrives, over HTTP/1.1 or HTTP/2. */
import { type ClientHttp2Session, constants } from 'node:http2'
import { request } from 'node:https'
import type { Readable } from 'node:stream'
import type { Edge } from './stack.ts'

export type OpenedStream = {
  status: number | undefined
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
}

/** Sends a POST request; resolves once the response's headers have arrived. */
export const openStream = (wanted: StreamRequest): Promise<OpenedStream> =>
  wanted.session === undefined ? openOverHttp1(wanted) : openOverHttp2(wanted.session, wanted)

const openOverHttp1 = ({ edge, path, headers, json }: StreamRequest) =>
  new Promise<OpenedStream>((resolve, reject) => {
    const options = { method: 'POST', headers, ca: edge.ca, agent: false as const }
    const sent = request(`${edge.url}${path}`, options, response =>
      resolve({
        status: response.statusCode,
        headers: response.headers,
        ...collected(response),
        disconnect: () => sent.destroy(),
      }),
    )
    sent.on('error', reject)
    sent.end(JSON.stringify(json))
  })

const openOverHttp2 = (session: ClientHttp2Session, { path, headers, json }: StreamRequest) =>
  new Promise<OpenedStream>((resolve, reject) => {
    const sent = session.request({ ':method': 'POST', ':path': path, ...headers })
    sent.on('error', reject)
    sent.on('response', response =>
      resolve({
        status: response[':status'],
        headers: response,
        ...collected(sent),
        disconnect: () => sent.close(constants.NGHTTP2_CANCEL),
      }),
    )
    sent.end(JSON.stringify(json))
  })

function collected(body: Readable): Pick<OpenedStream, 'text' | 'until' | 'ended'> {
  let text = ''
  let wake = () => {}
  let isOver = false
  body.setEncoding('utf8')
  body.on('data', (piece: string) => {
    text += piece
    wake()
  })
  const ended = new Promise<boolean>(resolve => {
    let isComplete = false
    body.on('end', () => {
      isComplete = true
    })
    body.on('error', () => {
      isComplete = false
    })
    body.on('close', () => {
      isOver = true
      wake()
      resolve(isComplete)
    })
  })
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
