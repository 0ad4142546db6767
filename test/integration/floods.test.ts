/** What one client can take from others by asking often, or by taking no answers: with a key, and without one. */
import { readFileSync, statSync } from 'node:fs'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { request } from 'node:https'
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { largeRate, openRate, requestRate, sendTimeouts } from '../../lib/appliance/nginx/limits.ts'
import { http } from '../../lib/system/http.ts'
import { bytePairModel } from '../mirror/byte-pair-model.ts'
import { type Edge, type Stack, startEdge, startStack } from './support/stack.ts'
import { type StandIn, startStandIn } from './support/stand-in-llama.ts'

const keys = { alice: 'alices-own-key-0123', bob: 'bobs-very-own-key-1' }
type Name = keyof typeof keys
const context = { ONEAPP_COPILOT_KEYS: `alice=${keys.alice} bob=${keys.bob}` }
const as = (name: Name) => ({ authorization: `Bearer ${keys[name]}` })

/** Connections of each of nginx's four worker processes: as many as one test can open, in place of thousands. */
const connections = 128

describe('before llama-server', () => {
  let edge: Edge
  let standIn: StandIn
  const sessions: ClientHttp2Session[] = []
  beforeAll(async () => {
    edge = await startEdge(context, {
      site: text => text.replace(/worker_connections \d+/, `worker_connections ${connections}`),
    })
    standIn = await startStandIn(edge, (_, response) => void response.end('{}'))
  })
  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy()
  })
  afterAll(async () => {
    await standIn?.stop()
    await edge?.close()
  })

  const ask = (name: Name, path: string) =>
    http({ url: `${edge.url}${path}`, ca: edge.ca, headers: as(name), timeout: 60 })

  /** A client that takes no byte of an answer's body: over HTTP/2 it may say so (RFC 9113, 6.5.2). */
  const askAndTakeNothing = (path: string, headers: Record<string, string>, address: string) => {
    const settings = { initialWindowSize: 0 }
    const session = connect(edge.url, { ca: edge.ca, settings, localAddress: address } as object)
    sessions.push(session)
    session.on('error', () => {})
    const stream: ClientHttp2Stream = session.request({ ':path': path, ...headers })
    stream.on('error', () => {})
    return new Promise<boolean>(resolve => {
      stream.on('response', () => resolve(true))
      stream.on('close', () => resolve(false))
      session.on('close', () => resolve(false))
    })
  }

  /** Asks again and again over one connection, 30 at once; returns how often each status came, or none. */
  async function askWithoutPause(path: string, headers: Record<string, string>, seconds: number) {
    const statuses: Record<string, number> = {}
    const session = connect(edge.url, { ca: edge.ca, localAddress: '127.0.8.2' } as object)
    sessions.push(session)
    const one = () =>
      new Promise<void>(resolve => {
        const stream = session.request({ ':path': path, ...headers })
        let status = 'none'
        stream
          .on('response', answer => {
            status = String(answer[':status'])
          })
          .on('error', () => {})
          .on('close', () => {
            statuses[status] = (statuses[status] ?? 0) + 1
            resolve()
          })
          .resume()
      })
    const end = performance.now() + seconds * 1000
    const lane = async () => {
      while (performance.now() < end) await one()
    }
    await Promise.all([...Array.from({ length: 30 }, lane), ask('bob', '/v1/models')])
    return statuses
  }

  it.each([
    ['to an unknown path', '/nothing', {}],
    ['with a body that is not JSON', '/v1/messages', { ':method': 'POST' }],
  ])(
    `answers more than ${requestRate.perSecond} requests a second of a key only in turn, and logs no more: %s`,
    async (_, path, headers) => {
      const seconds = 4
      const before = statSync(edge.accessLog).size
      const statuses = await askWithoutPause(path, { ...as('alice'), ...headers }, seconds)
      const lines = readFileSync(edge.accessLog, 'utf8').slice(before).split('\n').length - 1
      console.log(statuses, `${lines} lines`)
      expect(lines).toBeGreaterThan(requestRate.perSecond)
      expect(lines).toBeLessThan(
        requestRate.perSecond * (seconds + 1) + requestRate.burst + requestRate.immediate,
      )
    },
    60_000,
  )

  it.each(['/health', '/ca.crt'])(
    `answers no more than ${openRate.perSecond} requests a second of an address without a key, and others: %s`,
    async path => {
      const seconds = 4
      const start = performance.now()
      const statuses = await askWithoutPause(path, {}, seconds)
      const elapsed = (performance.now() - start) / 1000
      console.log(statuses)
      expect(statuses.none).toBeGreaterThan(0)
      expect((statuses['200'] ?? 0) + (statuses['503'] ?? 0)).toBeLessThanOrEqual(
        openRate.perSecond * elapsed + openRate.burst + 1,
      )
      expect((await ask('bob', '/v1/models')).status).toBe(200)
    },
    60_000,
  )

  it.each([
    ['the landing page, without a key', '/', {}],
    ['the CA', '/ca.crt', {}],
    ['a refusal', '/v1/models', {}],
    ['a path with a key', '/v1/models', as('alice')],
  ])(
    'connections that take nothing of %s are closed in favour of others',
    async (_, path, headers) => {
      for (let count = 0; count < 6 * connections; count += 1) {
        void askAndTakeNothing(path, headers, '127.0.8.1')
        if (count % 32 === 31) await setTimeout(100)
      }
      await setTimeout(500)
      const start = performance.now()
      expect((await ask('bob', '/v1/models')).status).toBe(200)
      expect((performance.now() - start) / 1000).toBeLessThan(sendTimeouts.other + 10)
    },
    120_000,
  )
})

describe('clients that go before llama-server has found the tokens of their prompt', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack(context, { settings: { LLAMA_ARG_MODEL: await bytePairModel('tekken') } })
  })
  afterAll(() => stack?.close())

  const residentMiB = () =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${stack.llamaPid()}/status`, 'utf8'))?.[1]) / 1024

  /** As much work as possible: the tokenizer recurses for each blank. */
  const text = ' '.repeat(1_000_000)

  const sendAndLeave = (path: string, json: object, wait: number) =>
    new Promise<void>(resolve => {
      const body = JSON.stringify(json)
      const headers = {
        ...as('alice'),
        'content-type': 'application/json',
        'content-length': `${body.length}`,
      }
      const sent = request(`${stack.url}${path}`, { method: 'POST', ca: stack.ca, agent: false, headers })
      sent
        .on('response', answer => answer.resume())
        .on('error', () => {})
        .on('close', resolve)
      sent.end(body, () => void setTimeout(wait).then(() => sent.destroy()))
    })

  it.each([
    ['a prompt', '/v1/chat/completions', { messages: [{ role: 'user', content: text }], max_tokens: 1 }],
    ['a text', '/tokenize', { content: text }],
  ])(
    'do not leave so much behind that it takes the memory of others: %s',
    async (_, path, json) => {
      let most = 0
      const watch = setInterval(() => {
        most = Math.max(most, residentMiB())
      }, 50)
      const tries = []
      for (let count = 0; count < 60; count += 1) {
        tries.push(sendAndLeave(path, json, 100))
        await setTimeout(30)
      }
      const headers = as('bob')
      const question = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 }
      const url = `${stack.url}/v1/chat/completions`
      expect((await http({ url, ca: stack.ca, headers, json: question, timeout: 60 })).status).toBe(200)
      await Promise.all(tries)
      clearInterval(watch)
      console.log(`${most.toFixed(0)} MiB at most`)
      expect(stack.llamaRuns()).toBe(true)
      // The first few at once, each with 400 bytes for each of its own.
      expect(most).toBeLessThan(400 * (largeRate.immediate + 2))
    },
    120_000,
  )
})
