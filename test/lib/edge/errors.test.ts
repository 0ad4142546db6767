import { describe, expect, it } from 'vitest'
import { apiOf, errorBody } from '../../../lib/edge/errors.ts'
import { modelAnswer } from '../../../lib/edge/models.ts'
import { checkPathOf, isRejection, upstreamErrorText } from '../../../lib/edge/upstream-errors.ts'

it.each([
  ['/v1/messages', 'anthropic'],
  ['/v1/messages/count_tokens', 'anthropic'],
  ['/v1/messages/', 'anthropic'],
  ['/v1/messagesx', 'openai'],
  ['/v1/chat/completions', 'openai'],
  ['/', 'openai'],
])('%s belongs to the API of %s', (path, api) => {
  expect(apiOf(path)).toBe(api)
})

// Clients retry or give up by these types, which are those of the two APIs.
it.each([
  [400, 'invalid_request_error', 'invalid_request_error'],
  [401, 'invalid_request_error', 'authentication_error'],
  [403, 'invalid_request_error', 'permission_error'],
  [404, 'invalid_request_error', 'not_found_error'],
  [413, 'invalid_request_error', 'request_too_large'],
  [429, 'rate_limit_error', 'rate_limit_error'],
  [499, 'invalid_request_error', 'invalid_request_error'],
  [500, 'server_error', 'api_error'],
  [503, 'server_error', 'overloaded_error'],
  [504, 'server_error', 'api_error'],
])('%d is the type %s to OpenAI clients, and %s to Anthropic clients', (status, openai, anthropic) => {
  expect(errorBody('openai', status, 'No.', 'code', 'field')).toEqual({
    error: { message: 'No.', type: openai, param: 'field', code: 'code' },
  })
  expect(errorBody('openai', status, 'No.')).toEqual({
    error: { message: 'No.', type: openai, param: null, code: null },
  })
  expect(errorBody('anthropic', status, 'No.', 'code', 'field')).toEqual({
    type: 'error',
    error: { type: anthropic, message: 'No.' },
  })
})

describe('the path that shows whether the request made llama-server fail', () => {
  it.each([
    ['/v1/chat/completions', '/v1/chat/completions/input_tokens'],
    ['/v1/messages', '/v1/messages/count_tokens'],
    ['/v1/responses', '/v1/responses/input_tokens'],
    ['/v1/completions', undefined],
    ['/v1/messages/count_tokens', '/v1/messages/count_tokens'],
    ['/tokenize', '/tokenize'],
    ['/v1/models', '/v1/models'],
  ])('of %s is %s', (path, check) => {
    expect(checkPathOf(path)).toBe(check)
  })
})

describe("llama-server's errors", () => {
  const tooLong = {
    error: {
      code: 400,
      message: 'request (5000 tokens) exceeds the available context size',
      type: 'exceed_context_size_error',
      n_prompt_tokens: 5000,
      n_ctx: 4096,
    },
  }
  const openai = { param: null, code: null, type: 'invalid_request_error' }
  it.each([
    [
      'a prompt that is too long',
      tooLong,
      {
        ...openai,
        message:
          "This model's maximum context length is 4096 tokens. However, the request has 5000 tokens. Shorten the conversation.",
        type: 'exceed_context_size_error',
        code: 'context_length_exceeded',
        n_prompt_tokens: 5000,
        n_ctx: 4096,
      },
      'prompt is too long: 5000 tokens > 4096 maximum',
    ],
    [
      'one without the numbers',
      { error: { type: 'exceed_context_size_error', message: 'too long' } },
      {
        ...openai,
        message: 'too long',
        type: 'exceed_context_size_error',
        code: 'context_length_exceeded',
      },
      'too long',
    ],
    [
      'another with a number',
      { error: { type: 'other', message: 'bad', n_prompt_tokens: 1, n_ctx: 2 } },
      { ...openai, message: 'bad', type: 'other', code: 'other', n_prompt_tokens: 1, n_ctx: 2 },
      'bad',
    ],
    [
      'an exception',
      { error: { code: 500, message: 'Value is not callable', type: 'server_error' } },
      { ...openai, message: 'Value is not callable' },
      'Value is not callable',
    ],
    ['one without a type', { error: { message: 'no' } }, { ...openai, message: 'no' }, 'no'],
    ['a text as the error', { error: 'no' }, { ...openai, message: 'no' }, 'no'],
    [
      'no reason',
      { error: {} },
      { ...openai, message: 'The model server gave no reason.' },
      /gave no reason/,
    ],
    ['a null', { error: null }, { ...openai, message: '{"error":null}' }, '{"error":null}'],
    ['another object', { x: 1 }, { ...openai, message: '{"x":1}' }, '{"x":1}'],
    ['text', 'Bad gateway', { ...openai, message: 'Bad gateway' }, 'Bad gateway'],
  ])('%s', (_, answer, toOpenai, toAnthropic) => {
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
    expect(JSON.parse(upstreamErrorText('/v1/chat/completions', 400, text))).toEqual({ error: toOpenai })
    expect(JSON.parse(upstreamErrorText('/v1/messages', 400, text))).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringMatching(toAnthropic) },
    })
  })
})

/** How clients recognise a conversation that they must shorten, in their sources of 2026: by the code, or by the message. */
it.each([
  ['Cline', 'context_length_exceeded', /context\s*(length|window)/i],
  ['cn', 'context_length_exceeded', /maximum context length/],
  ['LangChain', 'context_length_exceeded', /maximum context length/],
  ['opencode', 'context_length_exceeded', /maximum context length is \d+ tokens/i],
])('%s recognises a conversation that is too long', (_, code, message) => {
  const error = { type: 'exceed_context_size_error', message: '', n_prompt_tokens: 5000, n_ctx: 4096 }
  const shown = JSON.parse(upstreamErrorText('/v1/chat/completions', 400, JSON.stringify({ error }))).error
  expect(shown.code).toBe(code)
  expect(shown.message).toMatch(message)
})

it('says of a gap that the model cannot fill what would', () => {
  const error = {
    code: 501,
    message: 'Infill is not supported by this model: …',
    type: 'not_supported_error',
  }
  const shown = (path: string) => JSON.parse(upstreamErrorText(path, 501, JSON.stringify({ error }))).error
  expect(shown('/infill')).toMatchObject({
    message: 'This model cannot fill gaps, and there is no service for completion on this appliance.',
    type: error.type,
  })
  expect(shown('/v1/completions').message).toBe(error.message)
})

describe('a text that is too long for a service beside chat', () => {
  const decoder = {
    error: {
      code: 400,
      message: 'request (4001 tokens) exceeds the available context size (2048 tokens), try increasing it',
      type: 'exceed_context_size_error',
      n_prompt_tokens: 4001,
      n_ctx: 2048,
    },
  }
  const encoder = {
    error: {
      code: 500,
      message:
        'input (4001 tokens) is too large to process. increase the physical batch size (current batch size: 2048)',
      type: 'server_error',
    },
  }

  it.each([
    ['/v1/embeddings', 'embeddings', decoder],
    ['/v1/embeddings', 'embeddings', encoder],
    ['/v1/rerank', 'reranking', encoder],
  ])('%s: %s, %o', (path, service, error) => {
    expect(JSON.parse(upstreamErrorText(path, 400, JSON.stringify(error)))).toEqual({
      error: {
        message: `A text has 4001 tokens, and the service for ${service} takes 2048 at most: split longer texts.`,
        type: 'exceed_context_size_error',
        code: 'context_length_exceeded',
        param: null,
        n_prompt_tokens: 4001,
        n_ctx: 2048,
      },
    })
  })

  it.each([
    ['/v1/rerank', 500, encoder, true],
    ['/v1/embeddings', 400, decoder, true],
    ['/v1/embeddings', 500, { error: { code: 500, message: 'Compute error.', type: 'server_error' } }, false],
    ['/v1/embeddings', 500, 'no JSON', false],
    ['/v1/embeddings', 200, {}, false],
    ['/v1/embeddings', 503, {}, false],
    // Asked without generating: there, only the request can be the cause.
    ['/v1/chat/completions', 500, { error: { code: 500, message: 'Value is not callable' } }, true],
    ['/v1/chat/completions', 200, {}, false],
  ])('%s answers %i with %o a second time: rejected %s', (path, status, answer, expected) => {
    expect(isRejection(path, status, JSON.stringify(answer))).toBe(expected)
  })
})

describe('GET /v1/models/NAME', () => {
  const models = ['devstral', 'default']
  it.each(models)('%s is the running model, under the name asked for', name => {
    expect(modelAnswer(`/v1/models/${name}`, models)).toEqual({
      status: 200,
      body: { id: name, object: 'model', created: 0, owned_by: 'slm-copilot' },
    })
  })
  it.each(['gpt-5', 'devstral/', '', 'Devstral'])('%j is unknown', name => {
    expect(modelAnswer(`/v1/models/${name}`, models)).toEqual({
      status: 404,
      body: {
        error: {
          message: `Unknown model "${name}": this server runs "devstral".`,
          type: 'invalid_request_error',
          param: 'model',
          code: 'model_not_found',
        },
      },
    })
  })
})
