/** Thoughts: apart from the answer on each API, switched off, within a budget; a call after them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventsOf } from '../../lib/steps/services/smoke-test.ts'
import { http } from '../../lib/system/http.ts'
import { sentence } from '../mirror/sentence-model.ts'
import { thinkingModel, thought } from '../mirror/thinking-model.ts'
import { type Stack, startStack } from './support/stack.ts'

const model = { template: 'qwen3.5', thinking: 'optional' } as const
const startThinking = async (context: Record<string, string>, says?: string) =>
  startStack(
    { ONEAPP_COPILOT_CONTEXT_SIZE: '4096', ...context },
    { model, settings: { LLAMA_ARG_MODEL: await thinkingModel(says) } },
  )

type Answered = { thoughts: string; text: string }
// biome-ignore lint/suspicious/noExplicitAny: the formats of three APIs, distinguished by the assertions
type AnyAnswer = any

const joined = (parts: AnyAnswer[], type: string, field: string) =>
  parts
    .filter(part => part.type === type)
    .map(part => part[field])
    .join('')

const apis = {
  chat: {
    path: '/v1/chat/completions',
    body: { messages: [{ role: 'user', content: 'Hi.' }] },
    off: { chat_template_kwargs: { enable_thinking: false } },
    whole: ({ choices: [{ message }] }: AnyAnswer): Answered => ({
      thoughts: message.reasoning_content ?? '',
      text: message.content ?? '',
    }),
    streamed: (events: AnyAnswer[]): Answered => {
      const deltas = events.flatMap(({ choices }) => choices.map((choice: AnyAnswer) => choice.delta))
      return {
        thoughts: deltas.map(({ reasoning_content = '' }) => reasoning_content ?? '').join(''),
        text: deltas.map(({ content }) => content ?? '').join(''),
      }
    },
  },
  messages: {
    path: '/v1/messages',
    body: { max_tokens: 200, messages: [{ role: 'user', content: 'Hi.' }] },
    off: { thinking: { type: 'disabled' } },
    whole: ({ content }: AnyAnswer): Answered => ({
      thoughts: joined(content, 'thinking', 'thinking'),
      text: joined(content, 'text', 'text'),
    }),
    streamed: (events: AnyAnswer[]): Answered => {
      const deltas = events.filter(({ type }) => type === 'content_block_delta').map(({ delta }) => delta)
      return {
        thoughts: joined(deltas, 'thinking_delta', 'thinking'),
        text: joined(deltas, 'text_delta', 'text'),
      }
    },
  },
  responses: {
    path: '/v1/responses',
    body: { input: 'Hi.' },
    off: { reasoning: { effort: 'none' } },
    whole: ({ output }: AnyAnswer): Answered => ({
      thoughts: output
        .flatMap((item: AnyAnswer) => joined(item.content ?? [], 'reasoning_text', 'text'))
        .join(''),
      text: output.flatMap((item: AnyAnswer) => joined(item.content ?? [], 'output_text', 'text')).join(''),
    }),
    streamed: (events: AnyAnswer[]): Answered => ({
      thoughts: joined(events, 'response.reasoning_text.delta', 'delta'),
      text: joined(events, 'response.output_text.delta', 'delta'),
    }),
  },
}
type ApiName = keyof typeof apis

async function answerOf(
  { url, ca, key }: Stack,
  api: ApiName,
  stream: boolean,
  more: object = {},
): Promise<Answered> {
  const { path, body, whole, streamed } = apis[api]
  const headers = { authorization: `Bearer ${key}` }
  const answer = await http({
    url: `${url}${path}`,
    ca,
    headers,
    json: { ...body, ...more, stream },
    timeout: 60,
  })
  expect(answer.status, answer.body).toBe(200)
  if (!stream) return whole(JSON.parse(answer.body))
  const events = eventsOf(answer.body).filter(data => data.startsWith('{'))
  return streamed(events.map(data => JSON.parse(data)))
}

const ways = (Object.keys(apis) as ApiName[]).flatMap(api => [true, false].map(stream => ({ api, stream })))
const withoutThoughts = { thoughts: '', text: sentence }

describe('by default', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startThinking({})
  })
  afterAll(() => stack?.close())

  it.each(ways)('$api has thoughts apart from the answer; streamed: $stream', async ({ api, stream }) => {
    expect(await answerOf(stack, api, stream)).toEqual({ thoughts: thought, text: sentence })
  })

  it.each(ways)('$api can do without them; streamed: $stream', async ({ api, stream }) => {
    expect(await answerOf(stack, api, stream, apis[api].off)).toEqual(withoutThoughts)
  })

  it('a request may have a budget of its own', async () => {
    const { thoughts, text } = await answerOf(stack, 'messages', true, {
      thinking: { type: 'enabled', budget_tokens: 4 },
    })
    expect(thought).toContain(thoughts.trim())
    expect(thoughts.length).toBeLessThan(thought.length)
    expect(text).toBe(sentence)
  })
})

it('NO leaves them out, unless a request asks for them', async () => {
  const stack = await startThinking({ ONEAPP_COPILOT_THINKING: 'NO' })
  try {
    for (const { api, stream } of ways) expect(await answerOf(stack, api, stream)).toEqual(withoutThoughts)
    const asked = { chat_template_kwargs: { enable_thinking: true } }
    expect((await answerOf(stack, 'chat', true, asked)).thoughts).toBe(thought)
  } finally {
    await stack.close()
  }
})

it('a budget ends them, and the answer follows', async () => {
  const stack = await startThinking({ ONEAPP_COPILOT_THINKING: '4' })
  try {
    for (const { api, stream } of ways) {
      const { thoughts, text } = await answerOf(stack, api, stream)
      expect(thoughts).toMatch(/^Somebody .*\.\.\. The budget for thinking is spent\. .*/)
      expect(thoughts).not.toContain('everything I know')
      expect(text).toBe(sentence)
    }
  } finally {
    await stack.close()
  }
})

it('a call in the format of the template follows them', async () => {
  const call =
    '<tool_call>\n<function=read>\n<parameter=filePath>\nhello.py\n</parameter>\n<parameter=limit>\n20\n</parameter>\n</function>\n</tool_call>'
  const parameters = {
    type: 'object',
    properties: { filePath: { type: 'string' }, limit: { type: 'integer' } },
    required: ['filePath'],
  }
  const tools = [{ type: 'function', function: { name: 'read', description: 'Reads a file.', parameters } }]
  const stack = await startThinking({}, call)
  try {
    const { url, ca, key } = stack
    const headers = { authorization: `Bearer ${key}` }
    const json = { ...apis.chat.body, tools }
    const { body } = await http({ url: `${url}${apis.chat.path}`, ca, headers, json, timeout: 60 })
    const [{ message, finish_reason }] = JSON.parse(body).choices
    expect(finish_reason).toBe('tool_calls')
    expect(message.reasoning_content).toBe(thought)
    expect(message.content || '').toBe('')
    expect(message.tool_calls.map((made: AnyAnswer) => made.function)).toEqual([
      { name: 'read', arguments: '{"filePath":"hello.py","limit":20}' },
    ])
  } finally {
    await stack.close()
  }
})
