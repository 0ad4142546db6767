/** A whole tool turn on each API, streamed and not: the model calls its tool, gets the result, and answers. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { http } from '../../lib/system/http.ts'
import { sentence } from '../mirror/sentence-model.ts'
import { type Call, readCall } from '../mirror/tool-model.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ ONEAPP_COPILOT_CONTEXT_SIZE: '4096' }, { call: readCall })
})
afterAll(() => stack?.close())

const schema = {
  type: 'object',
  properties: { filePath: { type: 'string' }, limit: { type: 'number' } },
  required: ['filePath'],
}
const described = { name: readCall.name, description: 'Reads a file.' }
const asked = { role: 'user', content: 'What does hello.py print?' }
const result = 'print("Hello")\n'

type ToolTurn = { text: string; calls: (Call & { id: string })[]; ended: unknown }
type ApiFormat = {
  path: string
  /** The question, followed by the model's call and its result if there was one. */
  body(call?: Call & { id: string }): object
  whole(body: unknown): ToolTurn
  streamed(events: unknown[]): ToolTurn
}

// biome-ignore lint/suspicious/noExplicitAny: the formats of three APIs, distinguished by the assertions
type AnyJson = any

const chat: ApiFormat = {
  path: '/v1/chat/completions',
  body: call => ({
    tools: [{ type: 'function', function: { ...described, parameters: schema } }],
    messages: call
      ? [
          asked,
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } },
            ],
          },
          { role: 'tool', tool_call_id: call.id, content: result },
        ]
      : [asked],
  }),
  whole: ({ choices: [{ message, finish_reason }] }: AnyJson) => ({
    text: message.content ?? '',
    calls: (message.tool_calls ?? []).map(({ id, function: called }: AnyJson) => ({ id, ...called })),
    ended: finish_reason,
  }),
  streamed: events => {
    const answer: ToolTurn = { text: '', calls: [], ended: undefined }
    for (const { choices } of events as AnyJson[])
      for (const { delta, finish_reason } of choices) {
        answer.text += delta.content ?? ''
        answer.ended = finish_reason ?? answer.ended
        for (const { index, id, function: called } of delta.tool_calls ?? []) {
          answer.calls[index] ??= { id, name: called.name, arguments: '' }
          answer.calls[index].arguments += called.arguments ?? ''
        }
      }
    return answer
  },
}

const messages: ApiFormat = {
  path: '/v1/messages',
  body: call => ({
    max_tokens: 100,
    tools: [{ ...described, input_schema: schema }],
    messages: call
      ? [
          asked,
          {
            role: 'assistant',
            content: [{ type: 'tool_use', id: call.id, name: call.name, input: JSON.parse(call.arguments) }],
          },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: result }] },
        ]
      : [asked],
  }),
  whole: ({ content, stop_reason }: AnyJson) => ({
    text: content.map(({ text = '' }: AnyJson) => text).join(''),
    calls: content
      .filter(({ type }: AnyJson) => type === 'tool_use')
      .map(({ id, name, input }: AnyJson) => ({ id, name, arguments: JSON.stringify(input) })),
    ended: stop_reason,
  }),
  streamed: events => {
    const answer: ToolTurn = { text: '', calls: [], ended: undefined }
    for (const { type, content_block: block, delta } of events as AnyJson[]) {
      if (type === 'content_block_start' && block.type === 'tool_use')
        answer.calls.push({ id: block.id, name: block.name, arguments: '' })
      if (type === 'content_block_delta') answer.text += delta.text ?? ''
      const last = answer.calls.at(-1)
      if (type === 'content_block_delta' && last) last.arguments += delta.partial_json ?? ''
      if (type === 'message_delta') answer.ended = delta.stop_reason
    }
    return answer
  },
}

const whole = ({ output, status }: AnyJson) => ({
  text: output.flatMap(({ content = [] }: AnyJson) => content.map(({ text }: AnyJson) => text)).join(''),
  calls: output
    .filter(({ type }: AnyJson) => type === 'function_call')
    .map((item: AnyJson) => ({ id: item.call_id, name: item.name, arguments: item.arguments })),
  ended: status,
})

const responses: ApiFormat = {
  path: '/v1/responses',
  body: call => ({
    tools: [{ type: 'function', ...described, parameters: schema }],
    input: call
      ? [
          asked,
          { type: 'function_call', call_id: call.id, name: call.name, arguments: call.arguments },
          { type: 'function_call_output', call_id: call.id, output: result },
        ]
      : [asked],
  }),
  whole,
  streamed: events =>
    whole((events as AnyJson[]).find(({ type }: AnyJson) => type === 'response.completed')?.response),
}

async function ask(
  { path, body, whole, streamed }: ApiFormat,
  stream: boolean,
  call?: Call & { id: string },
  { url, ca, key }: Stack = stack,
) {
  const answer = await http({
    url: `${url}${path}`,
    ca,
    headers: { authorization: `Bearer ${key}` },
    json: { ...body(call), stream },
    timeout: 60,
  })
  expect(answer.status, answer.body).toBe(200)
  if (!stream) return whole(JSON.parse(answer.body))
  const data = answer.body.split('\n').filter(line => line.startsWith('data: {'))
  return streamed(data.map(line => JSON.parse(line.slice('data: '.length))))
}

it.each([
  ['chat', chat, ['tool_calls', 'stop']],
  ['messages', messages, ['tool_use', 'end_turn']],
  ['responses', responses, ['completed', 'completed']],
] as const)('%s: calls the tool, and answers after the result', async (_, api, ends) => {
  for (const stream of [false, true]) {
    const first = await ask(api, stream)
    expect(first).toMatchObject({ text: '', calls: [readCall], ended: ends[0] })
    const second = await ask(api, stream, first.calls[0])
    expect(second).toEqual({ text: sentence, calls: [], ended: ends[1] })
  }
})

it.each<Call>([
  { name: 'Read', arguments: '{"file_path":"/home/dev/work/hello.py"}' },
  { name: 'shell', arguments: '{"command":["bash","-lc","cat hello.py && cat hello.py"]}' },
  { name: 'update_plan', arguments: '{"explanation":"Hello! This small model","plan":[]}' },
])('calls $name, a tool of another client', async call => {
  const [name, value] = Object.entries<unknown>(JSON.parse(call.arguments))[0] ?? []
  const type = Array.isArray(value) ? { type: 'array', items: { type: 'string' } } : { type: 'string' }
  const parameters = { type: 'object', properties: { [`${name}`]: type, plan: { type: 'array' } } }
  const tools = [{ type: 'function', function: { name: call.name, parameters } }]
  const other = await startStack({ ONEAPP_COPILOT_CONTEXT_SIZE: '4096' }, { call })
  try {
    const answer = await ask({ ...chat, body: () => ({ tools, messages: [asked] }) }, true, undefined, other)
    expect(answer).toMatchObject({ text: '', calls: [call], ended: 'tool_calls' })
  } finally {
    await other.close()
  }
})

it('answers if text follows the result', async () => {
  const after = (call: Call & { id: string }) => {
    const { messages, tools } = chat.body(call) as { messages: object[]; tools: object[] }
    return { tools, messages: [...messages, { role: 'user', content: 'Be quick.' }] }
  }
  const answer = await ask({ ...chat, body: () => after({ ...readCall, id: 'r' }) }, false)
  expect(answer).toEqual({ text: sentence, calls: [], ended: 'stop' })
})

it('calls the tool in a long conversation too', async () => {
  const long = { role: 'user', content: 'Look. '.repeat(1000) }
  const body = () => ({ ...chat.body(), messages: [long, { role: 'assistant', content: sentence }, asked] })
  expect(await ask({ ...chat, body }, false)).toMatchObject({ calls: [readCall], ended: 'tool_calls' })
})

it('answers at once if it has no tools', async () => {
  const answer = await ask({ ...chat, body: () => ({ messages: [asked] }) }, false)
  expect(answer).toEqual({ text: sentence, calls: [], ended: 'stop' })
})
