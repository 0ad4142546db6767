/** Streams are passed on event by event, unchanged: a stand-in sends each event once the client has the previous one. */
import type { ServerResponse } from 'node:http'
import { type ClientHttp2Session, connect } from 'node:http2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Edge, startEdge } from './support/stack.ts'
import { type StandIn, startStandIn } from './support/stand-in-llama.ts'
import { openStream } from './support/streams.ts'

let edge: Edge
let standIn: StandIn
/** llama-server's end of the latest stream. */
let upstream: ServerResponse

beforeAll(async () => {
  edge = await startEdge({})
  standIn = await startStandIn(edge, (_, response) => {
    upstream = response
    // Over HTTP/2, nginx sends the headers with the first bytes of the body.
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(opening)
  })
})
afterAll(async () => {
  await standIn?.stop()
  await edge?.close()
})

/** A comment, as llama-server sends it while it computes the prompt. */
const opening = ':\n\n'
const event = (text: string) => `data: {"text":"${text}"}\n\n`

describe.each(['HTTP/1.1', 'HTTP/2'])('over %s', { timeout: 20_000 }, version => {
  let session: ClientHttp2Session | undefined
  beforeEach(() => {
    session = version === 'HTTP/2' ? connect(edge.url, { ca: edge.ca }) : undefined
  })
  afterEach(() => {
    session?.destroy()
    upstream?.destroy()
  })

  const open = () => {
    const headers = {
      authorization: `Bearer ${edge.key}`,
      'content-type': 'application/json',
      // As SDKs send them.
      'accept-encoding': 'gzip, deflate, br',
    }
    const json = { stream: true, messages: [{ role: 'user', content: 'Hi' }] }
    return openStream({ edge, session, path: '/v1/chat/completions', headers, json })
  }

  it('passes on each event before the next one is sent', async () => {
    const stream = await open()
    expect(stream.status).toBe(200)
    expect(stream.headers['content-encoding']).toBeUndefined()
    let sent = opening
    for (const word of ['one', 'two', 'three', 'four', 'five']) {
      upstream.write(event(word))
      sent += event(word)
      await stream.until(text => text === sent)
    }
    upstream.end('data: [DONE]\n\n')
    expect(await stream.ended).toBe(true)
    expect(stream.text()).toBe(`${sent}data: [DONE]\n\n`)
  })

  it('breaks off when llama-server does, instead of completing the stream', async () => {
    const stream = await open()
    upstream.write(event('one'))
    await stream.until(text => text === opening + event('one'))
    upstream.destroy()
    expect(await stream.ended).toBe(false)
  })
})
