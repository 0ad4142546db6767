/** Which session and model a request is for. */
import { expect, it } from 'vitest'
import { routingOf } from '../../../lib/edge/routing.ts'

const chat = '/v1/chat/completions'

it.each([
  ['nothing', {}, {}, 'alice', ''],
  ['a header', { 'x-session-affinity': 's1' }, {}, 'alice s1', ''],
  ['the first of several', { 'session-id': 's2', 'x-session-affinity': 's1' }, {}, 'alice s1', ''],
  ['a key of the prompt cache', {}, { prompt_cache_key: 'k' }, 'alice k', ''],
  ['a user’s id', {}, { metadata: { user_id: 'u' } }, 'alice u', ''],
  ['a header before a body', { 'session-id': 's' }, { prompt_cache_key: 'k' }, 'alice s', ''],
  ['an empty header', { 'session-id': '' }, {}, 'alice', ''],
  ['what no header may have', {}, { prompt_cache_key: 'a\r\nX-Copilot-Fleet-Tenant: bob' }, 'alice', ''],
  ['a long name', {}, { prompt_cache_key: 'k'.repeat(201) }, 'alice', ''],
  ['no text', {}, { prompt_cache_key: 7, metadata: 'x', model: {} }, 'alice', ''],
  ['a model', {}, { model: 'tiny' }, 'alice', 'tiny'],
])('%s', (_, headers, body, session, model) => {
  expect(routingOf(chat, JSON.stringify(body), headers, 'alice')).toEqual({ session, model, service: '' })
})

it.each([
  ['/v1/embeddings', { input: 'x' }, 'embeddings'],
  ['/v1/rerank', { query: 'q', documents: [] }, 'reranking'],
  ['/infill', { input_prefix: 'x' }, 'completion'],
  ['/v1/completions', { prompt: 'x', suffix: 'y' }, 'completion'],
  ['/v1/completions', { prompt: 'x', suffix: '' }, ''],
  ['/v1/completions', { prompt: 'x' }, ''],
  ['/v1/messages', { suffix: 'y' }, ''],
])('%s with %j is for the service "%s"', (path, body, service) => {
  expect(routingOf(path, JSON.stringify(body), {}, 'alice')).toMatchObject({ service })
})

it.each(['[]', '"x"', 'null'])('leaves it to the copilot to refuse %s, which is no request', text => {
  expect(routingOf('/v1/completions', text, {}, 'alice')).toEqual({
    session: 'alice',
    model: '',
    service: '',
  })
})

it.each<[string, string, string | undefined, number, object]>([
  [
    'invalid JSON',
    chat,
    '{x',
    400,
    { code: 'invalid_json', message: expect.stringMatching(/^Invalid JSON at character \d of 2: .+\.$/) },
  ],
  [
    'no UTF-8',
    chat,
    undefined,
    400,
    { code: 'invalid_encoding', message: 'The request is not valid UTF-8.' },
  ],
  ['too deep', chat, '['.repeat(1000), 400, { code: 'invalid_json' }],
  ['an unknown path', '/v1/none', '{}', 404, { message: 'Unknown path.' }],
])('rejects %s', (_, path, text, status, error) => {
  expect(routingOf(path, text, {}, 'alice')).toMatchObject({ status, error: { error } })
})
