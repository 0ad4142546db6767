import { describe, expect, it } from 'vitest'
import { filterRequest } from '../../../lib/edge/filter.ts'

const settings = { models: ['devstral', 'default'], readsImages: false, vocabulary: 32_000, companions: {} }
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

describe('unknown fields are dropped', () => {
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

describe('a type that has a default', () => {
  const call = (type: object) => ({
    messages: [
      { role: 'assistant', tool_calls: [{ id: 'a', ...type, function: { name: 'read', arguments: '{}' } }] },
    ],
  })
  it.each([[{}], [{ type: null }], [{ type: 'function' }]])('%j: llama-server gets it', type => {
    expect(kept(chat, call(type)).messages[0].tool_calls[0].type).toBe('function')
  })
})

describe('values out of range are reported', () => {
  it.each([
    [chat, { ...hello, n: 3 }, 'n: expected 1, got 3.'],
    [
      chat,
      { ...hello, repeat_last_n: 2 ** 31 - 1 },
      'repeat_last_n: expected a whole number from 0 to 32768, got 2147483647.',
    ],
    [chat, { ...hello, temperature: '1' }, 'temperature: expected a number from 0 to 2, got "1".'],
    [
      chat,
      { ...hello, max_tokens: 1.5 },
      'max_tokens: expected a whole number from -1 to 2147483647, got 1.5.',
    ],
    [
      chat,
      { ...hello, temperature: 'x'.repeat(40) },
      `temperature: expected a number from 0 to 2, got "${'x'.repeat(40)}".`,
    ],
    [
      chat,
      { ...hello, temperature: 'x'.repeat(41) },
      `temperature: expected a number from 0 to 2, got "${'x'.repeat(40)}" and 1 more characters.`,
    ],
    [
      '/v1/messages',
      { ...hello, tools: [], tool_choice: { type: 'some' } },
      'tool_choice.type: expected one of "auto", "any", "tool", "none", got "some".',
    ],
    [
      '/v1/messages',
      { messages: [{ role: 'wizard', content: 'a' }] },
      'messages[0].role: expected one of "user", "assistant", "system", got "wizard".',
    ],
    [chat, { ...hello, temperature: { a: 1 } }, 'temperature: expected a number from 0 to 2, got an object.'],
    [chat, { ...hello, temperature: true }, 'temperature: expected a number from 0 to 2, got true.'],
    [chat, { messages: [null] }, 'messages[0]: expected an object, got null.'],
    [chat, { ...hello, stream: 'true' }, 'stream: expected true or false, got "true".'],
    [
      chat,
      `{"messages":[],"seed":${'9'.repeat(30)}}`,
      `seed: expected a whole number from -9007199254740991 to 9007199254740991, got ${'9'.repeat(30)}.`,
    ],
    [chat, { ...hello, stop: Array(65).fill('a') }, 'stop: expected an array of at most 64 items, got 65.'],
    [
      chat,
      { ...hello, stop: ['a'.repeat(300)] },
      `stop[0]: expected a string of at most 256 characters, got "${'a'.repeat(40)}" and 260 more characters.`,
    ],
    [chat, { ...hello, logit_bias: { a: 1 } }, 'logit_bias: expected token numbers as keys, got "a".'],
    [chat, { ...hello, logit_bias: { a1: 1 } }, 'logit_bias: expected token numbers as keys, got "a1".'],
    [chat, { ...hello, logit_bias: { '1a': 1 } }, 'logit_bias: expected token numbers as keys, got "1a".'],
    [
      chat,
      { ...hello, logit_bias: Object.fromEntries(Array.from({ length: 301 }, (_, i) => [i, 1])) },
      'logit_bias: expected an object of at most 300 keys, got 301.',
    ],
    [
      chat,
      { ...hello, logit_bias: { 1234567890: 1 } },
      'logit_bias: expected token numbers as keys, got "1234567890".',
    ],
    [
      chat,
      { ...hello, logit_bias: { 15043: 1000 } },
      'logit_bias.15043: expected a number from -100 to 100, got 1000.',
    ],
    [chat, { ...hello, top_logprobs: 21 }, 'top_logprobs: expected a whole number from 0 to 20, got 21.'],
    [chat, { ...hello, functions: [{}] }, 'functions: not supported: send `tools` instead.'],
    [chat, {}, 'messages: missing; expected an array of at most 2000 items.'],
    [chat, { messages: [1] }, 'messages[0]: expected an object, got 1.'],
    [
      chat,
      { messages: [{ role: 'wizard', content: '' }] },
      'messages[0].role: expected one of "assistant", "developer", "system", "tool", "user", got "wizard".',
    ],
    [
      chat,
      { messages: [{ role: 'user' }] },
      'messages[0].content: missing; expected a string, or an array of at most 2000 items, or null.',
    ],
    [
      chat,
      user([{ type: 'wiki' }]),
      'messages[0].content[0].type: expected one of "image_url", "text", got "wiki".',
    ],
    [
      chat,
      user([{ type: 'image_url', image_url: { url: 'data:,' } }]),
      'messages[0].content[0].type: "image_url" is not supported: the model does not accept images.',
    ],
    [
      chat,
      user([{ type: 'file', file: {} }]),
      'messages[0].content[0].type: "file" is not supported: the model does not accept files; send their text.',
    ],
    [chat, { ...hello, tools: [{ type: 'wiki' }] }, 'tools[0].type: expected one of "function", got "wiki".'],
    [
      chat,
      {
        messages: [
          { role: 'assistant', tool_calls: [{ function: { name: 'a', arguments: '['.repeat(100) } }] },
        ],
      },
      `messages[0].tool_calls[0].function.arguments: expected a string that contains valid JSON, got "${'['.repeat(40)}" and 60 more characters.`,
    ],
    [
      '/v1/completions',
      { prompt: ['a', 'b'] },
      'prompt: expected one string, or one array of tokens from 0 to 31999, got an array.',
    ],
    [
      '/v1/completions',
      { prompt: [1, 'b'] },
      'prompt: expected one string, or one array of tokens from 0 to 31999, got an array.',
    ],
    [
      '/v1/completions',
      { prompt: { prompt_string: 'a' } },
      'prompt: expected one string, or one array of tokens, got an object.',
    ],
    [
      '/v1/completions',
      { prompt: 'a', suffix: 'b' },
      'suffix: not supported: there is no service for completion on this appliance.',
    ],
    [
      '/v1/responses',
      { input: 'a', previous_response_id: 'r' },
      'previous_response_id: not supported: nothing is stored on the server; send the whole conversation.',
    ],
    [
      '/v1/responses',
      { input: 'a', tools: [{ type: 'wiki' }] },
      'tools[0].type: expected one of "function", got "wiki".',
    ],
    [
      '/v1/messages',
      user([{ type: 'document' }]),
      'messages[0].content[0].type: "document" is not supported: the model does not accept documents; send their text.',
    ],
    [
      chat,
      { messages: [{ content: 'a' }] },
      'messages[0].role: expected one of "assistant", "developer", "system", "tool", "user", got nothing.',
    ],
    ['/infill', { input_prefix: 'a' }, 'input_suffix: missing; expected a string.'],
    ['/infill', {}, 'input_prefix: missing; expected a string.'],
    ['/detokenize', { tokens: [-1] }, 'tokens[0]: expected a token from 0 to 31999, got -1.'],
    ['/detokenize', { tokens: [1, 32_000] }, 'tokens[1]: expected a token from 0 to 31999, got 32000.'],
    [
      '/detokenize',
      { tokens: [2 ** 31 - 1] },
      'tokens[0]: expected a token from 0 to 31999, got 2147483647.',
    ],
    ['/detokenize', { tokens: [1.5] }, 'tokens[0]: expected a token from 0 to 31999, got 1.5.'],
    ['/detokenize', { tokens: ['1'] }, 'tokens[0]: expected a token, got "1".'],
    [
      '/v1/completions',
      { prompt: [1, 32_000] },
      'prompt: expected one string, or one array of tokens from 0 to 31999, got an array.',
    ],
    ['/tokenize', { content: ['a'] }, 'content: expected a string, got an array.'],
  ])('%s %j', (path, request, message) => {
    expect(refusal(path, request)).toBe(`400 ${message}`)
  })
})

describe('what llama-server receives', () => {
  it.each([
    // Null counts as absent, unless the API gives it a meaning.
    [
      chat,
      { messages: [{ role: 'assistant', content: null, tool_calls: null }], tools: null },
      { messages: [{ role: 'assistant', content: null }] },
    ],
    // Some clients send no type, and an empty string for no arguments.
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
    [chat, { ...hello, functions: [] }, hello],
    [
      chat,
      { ...hello, logit_bias: { 15043: -100, 123456789: 100 } },
      { ...hello, logit_bias: { 15043: -100, 123456789: 100 } },
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
  ])("a tool call's arguments: %s", given => {
    const body = `{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"i","name":"n","input":{${given}}}]}]}`
    expect(ask('/v1/messages', body)).toMatchObject({ body: body.replace(/}$/, ',"model":"devstral"}') })
  })
})

describe("the values in a request's arguments, each of them a document of its own", () => {
  const calls = (values: number[]) => ({
    messages: values.map(count => ({
      role: 'assistant',
      tool_calls: [{ function: { name: 'a', arguments: JSON.stringify(Array(count - 1).fill(1)) } }],
    })),
  })
  const tooMany = 'function.arguments: the arguments of all calls have more than 100000 values.'
  it.each<[number[], string]>([
    [[100_000], 'passed'],
    [[60_000, 40_000], 'passed'],
    [[100_001], `400 messages[0].tool_calls[0].${tooMany}`],
    [[60_000, 40_001], `400 messages[1].tool_calls[0].${tooMany}`],
    [[60_000, 40_000, 1], `400 messages[2].tool_calls[0].${tooMany}`],
    [Array(40).fill(90_000), `400 messages[1].tool_calls[0].${tooMany}`],
  ])('%j', (values, expected) => {
    expect(refusal(chat, calls(values)).slice(0, expected.length)).toBe(expected)
  })
})

describe("Claude Code's first block, which llama-server logs with all that follows if it does not know its form", () => {
  const header = (code: string) => `x-anthropic-billing-header: cc_version=2.1; cch=${code}`
  it.each([
    ['the known form', header('a5145;Instructions'), header('a5145;Instructions')],
    ['nothing after it', header('a5145;'), header('a5145;')],
    ['a longer code', header('a51459;Instructions; more'), header('fffff;Instructions; more')],
    ['a shorter one', header('a;Instructions'), header('fffff;Instructions')],
    ['no end', header('a5145'), header('fffff;')],
    ['no end, and a line', header('a51\nInstructions'), header('fffff;\nInstructions')],
    ['no code', header(''), header('fffff;')],
    ['two', header('a;cch=b'), header('fffff;cch=b')],
    ['no such field', 'x-anthropic-billing-header: a', 'x-anthropic-billing-header: a'],
    ['another text', `${' '}${header('a')}`, `${' '}${header('a')}`],
  ])('%s', (_, given, expected) => {
    const messages = [{ role: 'user', content: 'Hi' }]
    expect(kept('/v1/messages', { system: given, messages }).system).toBe(expected)
    const blocks = (text: string) => [
      { type: 'text', text: 'a' },
      { type: 'text', text },
    ]
    expect(kept('/v1/messages', { system: blocks(given), messages }).system).toEqual(blocks(expected))
  })
})

const named = (name: string) => ({ type: 'function', function: { name } })

describe('fields that llama-server would ignore', () => {
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
    // A grammar requires an end of the answer, which `ignore_eos` forbids.
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
    [
      '/v1/messages',
      { ...hello, thinking: { type: 'disabled' }, chat_template_kwargs: { preserve_thinking: false } },
      {
        ...hello,
        thinking: { type: 'disabled' },
        chat_template_kwargs: { preserve_thinking: false, enable_thinking: false },
      },
    ],
    [
      '/v1/messages',
      { ...hello, thinking: { type: 'adaptive' } },
      { ...hello, thinking: { type: 'adaptive' } },
    ],
  ])('%s %j', (path, request, expected) => {
    expect(kept(path, request)).toEqual({ ...expected, model: 'devstral' })
  })

  it('refuses a choice of an unknown tool', () => {
    expect(refusal(chat, { ...hello, tools: [named('a')], tool_choice: named('b') })).toBe(
      '400 tool_choice: expected the name of one of the tools, got "b".',
    )
  })
})

describe('models', () => {
  it.each([undefined, null, 'default', 'devstral'])('%s is the running model', model => {
    expect(kept(chat, { ...hello, model })).toMatchObject({ model: 'devstral' })
  })

  it.each(['gpt-4', '', '../../etc/passwd', 3, {}])('%j is unknown', model => {
    expect(refusal(chat, { ...hello, model })).toMatch(
      /^404 Unknown model .*: this server runs "devstral"\.$/,
    )
  })
})

describe('bodies that are not a JSON object', () => {
  it.each([
    ['The request is not valid UTF-8.', undefined],
    ['Invalid JSON at character 12 of 12: unexpected end of input.', '{"messages":'],
    ['Expected a JSON object, got an array.', '[]'],
    ['Invalid JSON at character 64 of 200000: nested more than 64 levels deep.', '['.repeat(200_000)],
    ['Invalid JSON at character 4 of 6: unexpected content after the value.', '\ufeff{} {}'],
  ])('%s', (message, text) => {
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

describe('images, if the model accepts them', () => {
  const url = 'data:image/png;base64,iVBORw0KGgo='
  const picture = user([{ type: 'image_url', image_url: { url } }])

  it('are passed on as data URLs', () => {
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
      /^400 messages\[0\]\.content\[0\]\.image_url\.url: expected a data: URL with a Base64-encoded image, got .*\.$/,
    )
  })
})

describe('errors', () => {
  it.each([
    ['/v1/unknown', hello, { status: 404, code: 'not_found', param: null }],
    ['/v1/models', hello, { status: 404, code: 'not_found', param: null }],
    [chat, '{', { status: 400, code: 'invalid_json', param: null }],
    [chat, '1', { status: 400, code: 'invalid_json', param: null }],
    [chat, 'null', { status: 400, code: 'invalid_json', param: null }],
    [chat, { ...hello, model: 'gpt-4' }, { status: 404, code: 'model_not_found', param: 'model' }],
    [chat, { ...hello, temperature: 3 }, { status: 400, code: 'invalid_value', param: 'temperature' }],
    [chat, { messages: [1] }, { status: 400, code: 'invalid_value', param: 'messages[0]' }],
    [
      chat,
      { ...hello, tools: [], tool_choice: named('a') },
      { status: 400, code: 'invalid_value', param: 'tool_choice' },
    ],
    [
      chat,
      {
        ...hello,
        tools: [{ type: 'function', function: { name: 'a', parameters: { anyOf: Array(501).fill({}) } } }],
      },
      { status: 400, code: 'invalid_value', param: 'tools[0].function.parameters' },
    ],
    [
      '/v1/completions',
      { prompt: 'a', suffix: 'b' },
      { status: 400, code: 'invalid_value', param: 'suffix' },
    ],
    ['/v1/embeddings', { input: 'a' }, { status: 404, code: 'no_such_service', param: null }],
  ])('%s %j is refused with %j', (path, request, { status, code, param }) => {
    expect(ask(path, request)).toMatchObject({ status, error: { error: { code, param } } })
  })

  it('a text that is not UTF-8 has a code of its own', () => {
    expect(filterRequest(chat, undefined, settings)).toMatchObject({
      error: { error: { code: 'invalid_encoding' } },
    })
  })
})

describe('at the limits', () => {
  const image = (url: string) => user([{ type: 'image_url', image_url: { url } }])
  it.each([
    ...['png', 'jpeg', 'jpg', 'gif', 'webp', 'bmp'].map((type): [string, object] => [
      chat,
      image(`data:image/${type};base64,aGk=`),
    ]),
    [chat, image('data:image/png;base64,aGkr/w==')],
    [chat, { ...hello, temperature: 0 }],
    [chat, { ...hello, temperature: 2 }],
    [chat, { ...hello, max_tokens: -1 }],
    [chat, { ...hello, top_logprobs: 20, logprobs: true }],
    [chat, { ...hello, stop: Array(64).fill('a'.repeat(256)) }],
    ['/detokenize', { tokens: [0, 31_999] }],
    ['/v1/completions', { prompt: [0, 31_999] }],
    ['/v1/completions', { prompt: '' }],
  ])('%s %j passes', (path, request) => {
    expect(kept(path, request, { readsImages: true })).toEqual({ ...request, model: 'devstral' })
  })

  it.each([
    [chat, image('data:image/png;base64,')],
    [chat, image('data:image/svg+xml;base64,aGk=')],
    [chat, image('data:image/png;base64,aGk===')],
    [chat, image('data:image/png;base64,aG k=')],
    [chat, image(' data:image/png;base64,aGk=')],
    [chat, { ...hello, temperature: 2.001 }],
    [chat, { ...hello, temperature: -0.001 }],
    [chat, { ...hello, max_tokens: -2 }],
    ['/v1/completions', { prompt: [] }],
    ['/v1/completions', { prompt: [-1] }],
    ['/v1/completions', { prompt: [0.5] }],
    ['/v1/completions', { prompt: [['a', 'b']] }],
    ['/v1/completions', { prompt: [[1], [2]] }],
  ])('%s %j is refused', (path, request) => {
    expect(ask(path, request, { readsImages: true })).toMatchObject({ status: 400 })
  })
})

it('requires the named tool, in the forms of all APIs', () => {
  const tools = [
    { type: 'function', name: 'a' },
    { type: 'function', name: 'b' },
  ]
  const request = { input: 'x', tools, tool_choice: { type: 'function', name: 'b' } }
  expect(kept('/v1/responses', request)).toMatchObject({ tools: [tools[1]], tool_choice: 'required' })
  const ofTwo = { ...hello, tools: [named('a'), named('b')] }
  expect(kept(chat, { ...ofTwo, tool_choice: named('a') })).toMatchObject({
    tools: [named('a')],
    tool_choice: 'required',
  })
  for (const choice of ['auto', 'required', 'none'])
    expect(kept(chat, { ...ofTwo, tool_choice: choice })).toMatchObject({ ...ofTwo, tool_choice: choice })
})

it('answers in a given format only where no tool is offered, since its grammar would forbid calls', () => {
  const format = { type: 'json_schema', name: 'x', schema: { type: 'object' } }
  const given = (tools: object[]) => kept('/v1/responses', { input: 'a', tools, text: { format } })
  expect(given([]).response_format).toEqual({ type: 'json_schema', json_schema: format })
  const withTool = given([{ type: 'function', name: 'a' }])
  expect(withTool).not.toHaveProperty('response_format')
  expect(withTool).not.toHaveProperty('text')
})

it('quotes client input short and on one line', () => {
  const message = refusal(chat, { ...hello, model: `a\n\u001b[31m${'b'.repeat(500)}` })
  expect(message).toBe(
    `404 Unknown model "a??[31m${'b'.repeat(33)}" and 467 more characters: this server runs "devstral".`,
  )
})
