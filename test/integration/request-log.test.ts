/** The request log that the real nginx writes: one line per request, with its times and nothing of its content. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { LogFormat } from '../../lib/appliance/usage/log-format.ts'
import { type LoggedRequest, parseRequest } from '../../lib/appliance/usage/requests.ts'
import { http } from '../../lib/system/http.ts'
import { type Stack, startStack } from './support/stack.ts'

const alice = 'key-of-alice-12345'
const canary = 'CANARY-of-a-developer'
const question = { messages: [{ role: 'user', content: canary }], max_tokens: 5 }

describe.each<LogFormat>(['text', 'json'])('as %s', format => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ ONEAPP_COPILOT_KEYS: `alice=${alice}`, ONEAPP_COPILOT_LOG_FORMAT: format })
  })
  afterAll(() => stack?.close())

  const lines = () => readFileSync(stack.accessLog, 'utf8').trimEnd().split('\n')

  /** Sends a request with Alice's key, and returns its status and line. */
  async function logged(path: string, request: Partial<Parameters<typeof http>[0]> = {}) {
    const headers = { authorization: `Bearer ${alice}`, 'user-agent': 'OpenAI/JS 6.1.0', ...request.headers }
    const sent = { ca: stack.ca, timeout: 60, ...request, headers }
    const answer = await http({ url: `${stack.url}${path}`, ...sent })
    const id = answer.headers['x-request-id']
    // nginx writes it once the connection is closed.
    const [line] = await vi.waitFor(() => {
      const found = lines().filter(text => text.includes(String(id)))
      expect(found).toHaveLength(1)
      return found
    }, 5000)
    return { answer, line: parseRequest(line ?? '') as LoggedRequest }
  }

  it('a stream has the times until its first token, its slot and its end', async () => {
    const { line } = await logged('/v1/chat/completions', { json: { ...question, stream: true } })
    expect(line).toMatchObject({
      address: '127.0.0.1',
      tenant: 'alice',
      method: 'POST',
      path: '/v1/chat/completions',
      status: 200,
      client: 'openai-sdk',
      limit: undefined,
    })
    expect(line.bytes).toBeGreaterThan(200)
    const times = [line.slotWait, line.firstByte, line.total] as number[]
    expect(times.every(Number.isFinite)).toBe(true)
    // Rounded to milliseconds, from clocks that start a little apart.
    expect(times[0]).toBeLessThan((times[1] ?? 0) + 0.01)
    expect(times[1]).toBeLessThan((times[2] ?? 0) + 0.01)
    expect(Math.abs(Date.now() - line.at)).toBeLessThan(60_000)
  })

  it('a long prompt shows in the time until the first byte, not in the wait for a slot', async () => {
    const messages = [{ role: 'user', content: 'word '.repeat(20_000) }]
    const json = { messages, max_tokens: 3, stream: true }
    const { line } = await logged('/v1/chat/completions', { json })
    expect(line.firstByte).toBeGreaterThan(3 * (line.slotWait ?? Number.NaN))
  })

  it('a whole answer has no known wait for a slot', async () => {
    const { line } = await logged('/v1/messages', { json: { ...question } })
    expect(line).toMatchObject({ path: '/v1/messages', status: 200, slotWait: undefined })
    expect(line.firstByte).toBeLessThanOrEqual(line.total)
  })

  it.each([
    ['an unknown path', `/v1/${canary}`, {}, { path: 'other', status: 404 }],
    ['a query string', `/v1/models?key=${canary}`, {}, { path: '/v1/models', status: 200 }],
    ['an unknown client', '/props', { headers: { 'user-agent': canary } }, { client: 'other' }],
    ['no client', '/props', { headers: { 'user-agent': '' } }, { client: '-' }],
    [
      'a wrong key',
      '/props',
      { headers: { authorization: `Bearer ${canary}` } },
      { status: 401, tenant: undefined },
    ],
    [
      'a forged line',
      '/props',
      { headers: { 'user-agent': 'curl/8 tenant=bob status=500' } },
      { client: 'curl', tenant: 'alice', status: 200 },
    ],
  ])('%s', async (_, path, request, expected) => {
    const { line } = await logged(path, request)
    expect(line).toMatchObject(expected)
  })

  it('has whole lines only, and nothing that a client sent', () => {
    expect(lines().map(parseRequest)).not.toContain(undefined)
    for (const secret of [canary, alice, stack.key, '?', 'word'])
      expect(lines().join('\n')).not.toContain(secret)
  })
})
