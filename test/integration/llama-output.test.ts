/** What llama-server prints, and the journal keeps: nothing of a prompt or an answer, whatever is asked. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { http } from '../../lib/system/http.ts'
import { readCall } from '../mirror/tool-model.ts'
import { type Stack, startStack } from './support/stack.ts'

const canary = 'marigold-of-a-developer'

const settings: Record<string, string> = {}
let stack: Stack
beforeAll(async () => {
  stack = await startStack({ ONEAPP_COPILOT_CONTEXT_SIZE: '4096' }, { call: readCall, settings })
})
afterAll(() => stack?.close())

const ask = (path: string, json: object) =>
  http({
    url: `${stack.url}${path}`,
    ca: stack.ca,
    headers: { authorization: `Bearer ${stack.key}` },
    json,
    timeout: 60,
  })

const messages = [{ role: 'user', content: `Read ${canary}.` }]
const parameters = { type: 'object', properties: { filePath: { enum: [canary, 'hello.py'] } } }
const tool = (name: string) => ({ type: 'function', function: { name, description: canary, parameters } })
const read = tool(readCall.name)
const billing = (code: string) =>
  `x-anthropic-billing-header: cc_version=2; cch=${code}You help with ${canary}.`

it.each<[string, string, object, number]>([
  ['an answer', '/v1/chat/completions', { messages }, 200],
  ['a call', '/v1/chat/completions', { messages, tools: [read] }, 200],
  ...[1, 2, 3, 4, 6, 8].flatMap((length): [string, string, object, number][] => [
    [
      `a call cut off after ${length} tokens`,
      '/v1/chat/completions',
      { messages, tools: [read], max_tokens: length },
      200,
    ],
    [
      'the same, streamed',
      '/v1/chat/completions',
      { messages, tools: [read], max_tokens: length, stream: true },
      200,
    ],
  ]),
  [
    'a call of no such tool',
    '/v1/chat/completions',
    { messages, tools: [tool(canary)], max_tokens: 40 },
    200,
  ],
  ["Claude Code's first block", '/v1/messages', { system: billing('a5145;'), messages, max_tokens: 4 }, 200],
  ['the same in another form', '/v1/messages', { system: billing('a51459;'), messages, max_tokens: 4 }, 200],
  [
    'an unknown type of content',
    '/v1/messages',
    { messages: [{ role: 'user', content: [{ type: canary }] }] },
    400,
  ],
  [
    'what the template refuses',
    '/v1/chat/completions',
    {
      messages: [...messages, { role: 'assistant', content: canary }, { role: 'assistant', content: canary }],
    },
    200,
  ],
  [
    'a prompt that is too long',
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: `${canary} `.repeat(5000) }] },
    400,
  ],
])('%s', async (_, path, request, status) => {
  const { status: got, body } = await ask(path, request)
  expect(stack.llamaOutput()).not.toContain(canary)
  expect(stack.llamaOutput()).not.toContain('hello.py')
  expect([got, body]).toEqual([status, expect.anything()])
})

it('is nothing while requests succeed: the journal does not grow with them', async () => {
  const lines = () => stack.llamaOutput().split('\n').length
  const before = lines()
  for (let count = 0; count < 20; count += 1)
    expect((await ask('/v1/chat/completions', { messages, max_tokens: 2 })).status).toBe(200)
  // Those of the requests before, which had failed, may come late.
  expect(lines() - before).toBeLessThan(5)
})

it('has the words of answers at the highest verbosity: the tests before would see them', async () => {
  settings.LLAMA_ARG_LOG_VERBOSITY = '5'
  await stack.stopLlama()
  await stack.startLlama()
  expect((await ask('/v1/chat/completions', { messages, max_tokens: 2 })).status).toBe(200)
  expect(stack.llamaOutput()).toMatch(/next token: +\d+ 'Hello'/)
})
