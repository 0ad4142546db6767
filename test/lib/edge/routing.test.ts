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

it.each([
  ['invalid JSON', chat, '{', 400],
  ['no UTF-8', chat, undefined, 400],
  ['too deep', chat, '['.repeat(1000), 400],
  ['an unknown path', '/v1/none', '{}', 404],
])('rejects %s', (_, path, text, status) => {
  expect(routingOf(path, text, {}, 'alice')).toMatchObject({ status })
})
