/** Limits of slots per key, through both real proxies: which limit is hit, and what clients are told. */
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { counters } from '../../lib/appliance/nginx/limits.ts'
import { parseRequest } from '../../lib/appliance/usage/requests.ts'
import { http } from '../../lib/system/http.ts'
import { type Stack, startEdge, startStack } from './support/stack.ts'
import { startStandIn } from './support/stand-in-llama.ts'
import { type Generation, generate } from './support/streams.ts'

const keys = { alice: 'alices-own-key-0123', bob: 'bobs-very-own-key-1', carol: 'carols-own-key-3210' }
const contextWith = (limits: Record<string, string>) => ({
  ONEAPP_COPILOT_PARALLEL: '4',
  ONEAPP_COPILOT_CONTEXT_SIZE: '4096',
  ONEAPP_COPILOT_KEYS: Object.entries(keys)
    .map(([name, key]) => `${name}=${key}${limits[name] ?? ''}`)
    .join('\n'),
})
const endless = { messages: [{ role: 'user', content: 'Hi' }], ignore_eos: true, max_tokens: 30_000 }

let stack: Stack
beforeAll(async () => {
  stack = await startStack(contextWith({ alice: ':1', bob: ':2' }))
})
afterAll(() => stack?.close())

type Name = keyof typeof keys
const begin = (name: Name) => generate(stack, keys[name], '/v1/chat/completions', endless)

/** A rejected request: its status, whether it says when to try again, its message, and the limit in its log line. */
async function rejected(name: Name) {
  const { status, headers, body } = await http({
    url: `${stack.url}/v1/chat/completions`,
    ca: stack.ca,
    headers: { authorization: `Bearer ${keys[name]}` },
    json: endless,
    timeout: 30,
  })
  const line = await vi.waitFor(() => {
    const found = readFileSync(stack.accessLog, 'utf8')
      .split('\n')
      .find(text => text.includes(String(headers['x-request-id'])))
    expect(found).toBeDefined()
    return found
  }, 5000)
  expect(headers).not.toHaveProperty('x-copilot-limit')
  expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  return [status, JSON.parse(body).error.message as string, parseRequest(line ?? '')?.limit]
}

async function whileStreaming(names: Name[], act: () => Promise<void>) {
  const streams: Generation[] = []
  for (const name of names) {
    const stream = await vi.waitFor(async () => {
      const begun = await begin(name)
      expect(begun.status).toBe(200)
      return begun
    }, 30_000)
    streams.push(stream)
  }
  try {
    await act()
  } finally {
    for (const { disconnect } of streams) disconnect()
  }
}

const own = (slots: string) =>
  `This API key is already using its limit of ${slots}. Try again when an answer has ended.`
const share =
  'This API key is using 3 slots: the last one is kept for other keys. Try again when an answer has ended.'
const all = 'All slots are busy. Try again shortly.'

it.each<[Name[], Name, string, string]>([
  [['alice'], 'alice', own('1 slot'), 'key'],
  [['bob', 'bob'], 'bob', own('2 slots'), 'key'],
  [['carol', 'carol', 'carol'], 'carol', share, 'key'],
  [['alice', 'bob', 'bob', 'carol'], 'carol', all, 'slots'],
  [['alice', 'bob', 'carol', 'carol'], 'bob', all, 'slots'],
  [['alice', 'bob', 'bob', 'carol'], 'bob', own('2 slots'), 'key'],
])('while %j have slots, %s is refused: %s', async (busy, name, message, limit) => {
  await whileStreaming(busy, async () => {
    expect(await rejected(name)).toEqual([429, message, limit])
  })
})

it('a limit takes effect for new requests with a reload, and ends no stream', async () => {
  await whileStreaming(['bob'], async () => {
    const before = stack.admissionPid()
    await stack.reload(contextWith({ bob: ':1' }))
    await whileStreaming(['bob'], async () => {
      expect(await rejected('bob')).toEqual([429, own('1 slot'), 'key'])
    })
    expect(stack.admissionPid()).toBe(before)
    await whileStreaming(['alice', 'alice'], async () => undefined)
  })
})

it('a client cannot choose its limit', async () => {
  await whileStreaming(['bob'], async () => {
    const headers = {
      authorization: `Bearer ${keys.bob}`,
      'x-copilot-quota': '3',
      'x-copilot-tenant': 'alice',
    }
    const url = `${stack.url}/v1/chat/completions`
    expect((await http({ url, ca: stack.ca, headers, json: endless, timeout: 30 })).status).toBe(429)
  })
})

it.each([
  ['small', 'Hi', counters.tenant, counters.small],
  ['large', 'word '.repeat(2 * 10 ** (counters.smallDigits - 1)), counters.largeOfTenant, counters.large],
])('one key leaves others room to count tokens of %s texts', async (_, content, tenant, all) => {
  const edge = await startEdge(contextWith({}))
  const open: ServerResponse[] = []
  const standIn = await startStandIn(edge, (_, response) => void open.push(response))
  const count = async (name: Name) =>
    (
      await http({
        url: `${edge.url}/tokenize`,
        ca: edge.ca,
        headers: { authorization: `Bearer ${keys[name]}` },
        json: { content },
        timeout: 60,
      })
    ).status
  try {
    const begun = Array.from({ length: tenant }, () => count('alice'))
    await vi.waitFor(() => expect(open).toHaveLength(tenant), 20_000)
    expect(await count('alice')).toBe(429)
    begun.push(...Array.from({ length: all - tenant }, () => count('bob')))
    await vi.waitFor(() => expect(open).toHaveLength(all), 20_000)
    expect(await count('bob')).toBe(429)
    for (const response of open) response.end('{}')
    expect(await Promise.all(begun)).toEqual(begun.map(() => 200))
  } finally {
    await standIn.stop()
    await edge.close()
  }
})

it('a token count is in progress until llama-server has ended it, even if its client has gone', async () => {
  const edge = await startEdge(contextWith({}))
  const open: ServerResponse[] = []
  const standIn = await startStandIn(edge, (_, response) => void open.push(response))
  const url = `${edge.url}/tokenize`
  const content = 'word '.repeat(2 * 10 ** (counters.smallDigits - 1))
  const count = (timeout: number) =>
    http({ url, ca: edge.ca, headers: { authorization: `Bearer ${keys.alice}` }, json: { content }, timeout })
  try {
    await expect(count(2)).rejects.toThrow()
    expect(open).toHaveLength(1)
    expect((await count(10)).status).toBe(429)
    open[0]?.end('{}')
    const next = vi.waitFor(async () => expect((await count(30)).status).toBe(200), { timeout: 20_000 })
    await vi.waitFor(() => expect(open).toHaveLength(2), 20_000)
    open[1]?.end('{}')
    await next
  } finally {
    await standIn.stop()
    await edge.close()
  }
})
