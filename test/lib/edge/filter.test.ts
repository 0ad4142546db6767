import { describe, expect, it } from 'vitest'
import { filterRequest } from '../../../lib/edge/filter.ts'

const settings = { models: ['devstral', 'default'], readsImages: false }
const ask = (path: string, request: unknown, others = {}) =>
  filterRequest(path, typeof request === 'string' ? request : JSON.stringify(request), {
    ...settings,
    ...others,
  })
const kept = (path: string, request: unknown, others = {}) => {
  const filtered = ask(path, request, others)
  return 'body' in filtered ? JSON.parse(filtered.body) : filtered
}
const refusal = (path: string, request: unknown, others = {}): string => {
  const filtered = ask(path, request, others)
  if ('body' in filtered) return `passed: ${filtered.body}`
  return `${filtered.status} ${(filtered.error as { error: { message: string } }).error.message}`
}

const chat = '/v1/chat/completions'
const user = (content: unknown) => ({ messages: [{ role: 'user', content }] })
const hello = user('Hello')

describe('what is not named is left out', () => {
  it.each([
    [{ id_slot: 1 }],
    [{ grammar: '%llguidance {}' }],
    [{ lora: [{ id: 0, scale: 1 }] }],
    [{ n_probs: 1_000_000, samplers: [], mirostat: 2, dry_penalty_last_n: 2 ** 31 - 1 }],
    [{ cache_prompt: false, n_cache_reuse: 1, timings_per_token: true }],
    [{ sse_ping_interval: 0, speculative: {}, 'speculative.n_max': 100, chat_parser: 'x' }],
    [{ generation_prompt: 'x', prompt: 'x', message_delimiters: [], preserved_tokens: ['a'] }],
    [{ user: 'me', metadata: {}, store: true, service_tier: 'auto', stream_options: null, stop: null }],
    [{ constructor: 1 }],
  ])('%j', fields => {
    expect(kept(chat, { ...hello, ...fields })).toEqual({ ...hello, model: 'devstral' })
  })
})

describe('what is out of range is said', () => {
  it.each([
    [chat, { ...hello, n: 3 }, 'n: got 3; takes only 1.'],
    [
      chat,
      { ...hello, repeat_last_n: 2 ** 31 - 1 },
      'repeat_last_n: got 2147483647; takes a whole number from 0 to 32768.',
    ],
    [chat, { ...hello, temperature: '1' }, 'temperature: got "1"; takes a number from 0 to 2.'],
    [chat, { ...hello, max_tokens: 1.5 }, 'max_tokens: got 1.5; takes a whole number from -1 to 2147483647.'],
    [chat, { ...hello, stream: 'true' }, 'stream: got "true"; takes true or false.'],
    [
      chat,
      `{"messages":[],"seed":${'9'.repeat(30)}}`,
      `seed: got ${'9'.repeat(30)}; takes a whole number from -9007199254740991 to 9007199254740991.`,
    ],
    [
      chat,
      { ...hello, stop: Array(65).fill('a') },
      'stop: got an array of 65; takes an array of at most 64.',
    ],
    [
      chat,
      { ...hello, stop: ['a'.repeat(300)] },
      `stop[0]: got "${'a'.repeat(40)}" and 260 more characters; takes a string of at most 256 characters.`,
    ],
    [
      chat,
      { ...hello, logit_bias: { a: 1 } },
      'logit_bias: got the key "a"; takes keys that are token numbers.',
    ],
    [chat, { ...hello, top_logprobs: 21 }, 'top_logprobs: got 21; takes a whole number from 0 to 20.'],
    [chat, { ...hello, functions: [{}] }, 'functions: not taken here: send `tools`.'],
    [chat, {}, 'messages: missing; takes an array of at most 2000.'],
    [chat, { messages: [1] }, 'messages[0]: got 1; takes an object.'],
    [
      chat,
      { messages: [{ role: 'wizard', content: '' }] },
      'messages[0].role: got "wizard"; takes one of "assistant", "developer", "system", "tool", "user".',
    ],
    [
      chat,
      { messages: [{ role: 'user' }] },
      'messages[0].content: missing; takes a string, or an array of at most 2000, or null.',
    ],
    [
      chat,
      user([{ type: 'wiki' }]),
      'messages[0].content[0].type: got "wiki"; takes one of "image_url", "text".',
    ],
    [
      chat,
      user([{ type: 'image_url', image_url: { url: 'data:,' } }]),
      'messages[0].content[0].type: got "image_url"; the model reads no images.',
    ],
    [
      chat,
      user([{ type: 'file', file: {} }]),
      'messages[0].content[0].type: got "file"; the model takes no files: send their text.',
    ],
    [chat, { ...hello, tools: [{ type: 'wiki' }] }, 'tools[0].type: got "wiki"; takes one of "function".'],
    [
      chat,
      {
        messages: [
          { role: 'assistant', tool_calls: [{ function: { name: 'a', arguments: '['.repeat(100) } }] },
        ],
      },
      `messages[0].tool_calls[0].function.arguments: got "${'['.repeat(40)}" and 60 more characters; takes JSON in a string.`,
    ],
    [
      '/v1/completions',
      { prompt: ['a', 'b'] },
      'prompt: got an array; takes one string, or one array of tokens.',
    ],
    [
      '/v1/completions',
      { prompt: [1, 'b'] },
      'prompt: got an array; takes one string, or one array of tokens.',
    ],
    [
      '/v1/completions',
      { prompt: { prompt_string: 'a' } },
      'prompt: got an object; takes one string, or one array of tokens.',
    ],
    [
      '/v1/completions',
      { prompt: 'a', suffix: 'b' },
      'suffix: not taken here: send /infill an input_prefix and an input_suffix.',
    ],
    [
      '/v1/responses',
      { input: 'a', previous_response_id: 'r' },
      'previous_response_id: not taken here: nothing is stored here: send the whole conversation.',
    ],
    [
      '/v1/responses',
      { input: 'a', tools: [{ type: 'wiki' }] },
      'tools[0].type: got "wiki"; takes one of "function".',
    ],
    [
      '/v1/messages',
      user([{ type: 'document' }]),
      'messages[0].content[0].type: got "document"; the model takes no documents: send their text.',
    ],
    ['/infill', { input_prefix: 'a' }, 'input_suffix: missing; takes a string.'],
    ['/detokenize', { tokens: [-1] }, 'tokens[0]: got -1; takes a whole number from 0 to 2147483647.'],
    ['/tokenize', { content: ['a'] }, 'content: got an array; takes a string.'],
  ])('%s %j', (path, request, message) => {
    expect(refusal(path, request)).toBe(`400 ${message}`)
  })
})

describe('what is written', () => {
  it.each([
    // Null is as good as nothing, but for what a client says with it.
    [
      chat,
      { messages: [{ role: 'assistant', content: null, tool_calls: null }], tools: null },
      { messages: [{ role: 'assistant', content: null }] },
    ],
    // Some send no type, and nothing for no arguments.
    [
      chat,
      {
        messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'b', arguments: '' } }] }],
      },
      {
        messages: [
          {
            role: 'assistant',
            tool_calls: [{ id: 'a', function: { name: 'b', arguments: '{}' }, type: 'function' }],
          },
        ],
      },
    ],
    ['/v1/completions', { prompt: ['a'] }, { prompt: 'a' }],
    ['/v1/completions', { prompt: [[1, 2]] }, { prompt: [1, 2] }],
    [
      '/v1/completions',
      { prompt: 'a', suffix: '', echo: false, best_of: 1 },
      { prompt: 'a', echo: false, best_of: 1 },
    ],
    [
      '/v1/responses',
      { input: [{ role: 'assistant', content: 'a' }] },
      { input: [{ role: 'assistant', content: 'a', type: 'message' }] },
    ],
    [
      '/v1/responses',
      {
        input: [{ type: 'reasoning', summary: [], content: [] }],
        tools: [{ type: 'namespace' }, { type: 'web_search_2025' }],
      },
      { input: [], tools: [] },
    ],
    [
      '/v1/messages',
      { ...hello, tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
      { ...hello, tools: [] },
    ],
    ['/tokenize', { content: 'a', with_pieces: true }, { content: 'a', with_pieces: true }],
  ])('%s %j', (path, request, expected) => {
    expect(kept(path, request)).toEqual({ ...expected, model: 'devstral' })
  })

  it.each([
    ['"a":1', '1'],
    ['"a":12345678901234567890', 'a long integer'],
  ])('what a tool was called with: %s', given => {
    const body = `{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"i","name":"n","input":{${given}}}]}]}`
    expect(ask('/v1/messages', body)).toMatchObject({ body: body.replace(/}$/, ',"model":"devstral"}') })
  })
})

const named = (name: string) => ({ type: 'function', function: { name } })

describe('what llama-server would overlook', () => {
  it.each([
    [
      chat,
      { ...hello, tools: [named('a'), named('b')], tool_choice: named('b') },
      { ...hello, tools: [named('b')], tool_choice: 'required' },
    ],
    [
      '/v1/responses',
      {
        input: 'a',
        tools: [
          { type: 'function', name: 'a' },
          { type: 'function', name: 'b' },
        ],
        tool_choice: { type: 'function', name: 'a' },
      },
      { input: 'a', tools: [{ type: 'function', name: 'a' }], tool_choice: 'required' },
    ],
    [
      '/v1/messages',
      {
        ...hello,
        tools: [
          { name: 'a', input_schema: {} },
          { name: 'b', input_schema: {} },
        ],
        tool_choice: { type: 'tool', name: 'b' },
      },
      { ...hello, tools: [{ name: 'b', input_schema: {} }], tool_choice: { type: 'tool', name: 'b' } },
    ],
    // A grammar asks for an end that this forbids.
    [
      chat,
      { ...hello, ignore_eos: true, response_format: { type: 'json_object' } },
      { ...hello, response_format: { type: 'json_object' } },
    ],
    [
      '/v1/completions',
      { prompt: 'a', ignore_eos: true, json_schema: { type: 'object' } },
      { prompt: 'a', json_schema: { type: 'object' } },
    ],
    [chat, { ...hello, ignore_eos: true, tools: [named('a')] }, { ...hello, tools: [named('a')] }],
    [chat, { ...hello, ignore_eos: true, tools: [] }, { ...hello, ignore_eos: true, tools: [] }],
    [
      '/v1/messages',
      { ...hello, tools: [{ name: 'a', input_schema: {} }], tool_choice: { type: 'none' } },
      hello,
    ],
    [
      '/v1/responses',
      {
        input: 'a',
        text: { format: { type: 'json_schema', name: 'x', schema: { type: 'object' } }, verbosity: 'low' },
      },
      {
        input: 'a',
        response_format: {
          type: 'json_schema',
          json_schema: { type: 'json_schema', name: 'x', schema: { type: 'object' } },
        },
      },
    ],
    ['/v1/responses', { input: 'a', text: { verbosity: 'low' } }, { input: 'a' }],
  ])('%s %j', (path, request, expected) => {
    expect(kept(path, request)).toEqual({ ...expected, model: 'devstral' })
  })

  it('a tool that there is not', () => {
    expect(refusal(chat, { ...hello, tools: [named('a')], tool_choice: named('b') })).toBe(
      '400 tool_choice: got "b"; takes the name of one of the tools.',
    )
  })
})

describe('models', () => {
  it.each([undefined, null, 'default', 'devstral'])('%s is the one that is served', model => {
    expect(kept(chat, { ...hello, model })).toMatchObject({ model: 'devstral' })
  })

  it.each(['gpt-4', '', '../../etc/passwd', 3, {}])('%j is none', model => {
    expect(refusal(chat, { ...hello, model })).toMatch(
      /^404 There is no model .* here; there is "devstral"\.$/,
    )
  })
})

describe('what is no request', () => {
  it.each([
    [undefined, 'The request is not valid UTF-8.'],
    [
      '{"messages":',
      'The request is not JSON that is taken here: an end that comes too early, after 12 of 12 characters.',
    ],
    ['[]', 'Got an array; takes a JSON object.'],
    [
      '['.repeat(200_000),
      'The request is not JSON that is taken here: something nested more than 64 levels deep, after 64 of 200000 characters.',
    ],
    [
      '\ufeff{} {}',
      'The request is not JSON that is taken here: something after the value, after 4 of 6 characters.',
    ],
  ])('%.20s', (text, message) => {
    expect(filterRequest(chat, text, settings)).toEqual({
      status: 400,
      error: { error: { message, type: 'invalid_request_error', param: null, code: expect.any(String) } },
    })
    expect(filterRequest('/v1/messages', text, settings)).toEqual({
      status: 400,
      error: { type: 'error', error: { type: 'invalid_request_error', message } },
    })
  })
})

describe('images, where the model reads them', () => {
  const url = 'data:image/png;base64,iVBORw0KGgo='
  const picture = user([{ type: 'image_url', image_url: { url } }])

  it('pass as data', () => {
    expect(kept(chat, picture, { readsImages: true })).toEqual({ ...picture, model: 'devstral' })
  })

  it.each([
    'http://example.com/a.png',
    'file:///etc/passwd',
    'data:text/html;base64,aa==',
    'aaaa',
    `${url},${url}`,
  ])('are not fetched: %s', other => {
    const picture = user([{ type: 'image_url', image_url: { url: other } }])
    expect(refusal(chat, picture, { readsImages: true })).toMatch(
      /^400 messages\[0\]\.content\[0\]\.image_url\.url: got .*; takes a data: URL with an image in base64\.$/,
    )
  })
})

it('says it on one short line', () => {
  const message = refusal(chat, { ...hello, model: `a\n\u001b[31m${'b'.repeat(500)}` })
  expect(message).toBe(
    `404 There is no model "a??[31m${'b'.repeat(33)}" and 467 more characters here; there is "devstral".`,
  )
})
