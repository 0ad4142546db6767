import { describe, expect, it } from 'vitest'
import { filterRequest } from '../../../lib/edge/filter.ts'

const companion = (model: string) => ({
  model,
  vocabulary: 100,
  contextSize: 100,
  texts: 700,
  extra: 0,
  prefix: 0,
  suffix: 0,
})
const settings = {
  models: ['chat'],
  readsImages: false,
  vocabulary: 100,
  companions: { embeddings: companion('vectors'), reranking: companion('ranker') },
}
const filtered = (path: string, request: object) => {
  const found = filterRequest(path, JSON.stringify(request), settings)
  return 'status' in found
    ? { status: found.status, ...(found.error as { error: { message: string; param: string } }).error }
    : JSON.parse(found.body)
}
const times = (count: number, text: string) => Array.from({ length: count }, () => text)
const long = 'x'.repeat(1600)

describe('texts of a bounded length, alone and in all', () => {
  it.each([
    ['/v1/embeddings', { input: long }],
    ['/v1/embeddings', { input: times(655, long) }],
    ['/v1/embeddings', { input: times(700, 'a') }],
    ['/v1/embeddings', { input: [] }],
    ['/v1/rerank', { query: 'a', documents: times(701, 'a') }],
    ['/v1/rerank', { query: 'x'.repeat(800), documents: times(655, 'x'.repeat(800)) }],
    ['/v1/rerank', { query: '', documents: [] }],
  ])('%s takes %#', (path, request) => {
    expect(filtered(path, request)).toMatchObject(request)
  })

  it.each([
    [
      '/v1/embeddings',
      { input: `${long}x` },
      'input',
      'input: number 1 has 1601 characters, and the model reads 100 tokens: send it in parts.',
    ],
    [
      '/v1/embeddings',
      { input: ['a', `${long}x`] },
      'input',
      'input: number 2 has 1601 characters, and the model reads 100 tokens: send it in parts.',
    ],
    [
      '/v1/embeddings',
      { input: times(656, long) },
      'input',
      'input: 1049600 characters in all; expected at most 1048576: send them in several requests.',
    ],
    [
      '/v1/embeddings',
      { input: times(701, 'a') },
      'input',
      'input: expected an array of at most 700 texts, got 701: send them in several requests.',
    ],
    [
      '/v1/rerank',
      { query: 'x'.repeat(800), documents: ['a', 'x'.repeat(801)] },
      'documents',
      'documents: number 2 has 1601 characters with the query, and the model reads 100 tokens: send it in parts.',
    ],
    [
      '/v1/rerank',
      { query: 'x'.repeat(1000), documents: times(1048, 'x') },
      'documents',
      'documents: 1049048 characters in all, each with the query; expected at most 1048576: send them in several requests.',
    ],
  ])('%s does not take more %#', (path, request, param, message) => {
    expect(filtered(path, request)).toMatchObject({ status: 400, param, message })
  })
})

it.each([
  ['{document}', '{ document}'],
  ['a {document} b{document}{query}', 'a { document} b{ document}{query}'],
  ['{{document}}', '{{ document}}'],
  ['document', 'document'],
])('a query %j has no place for the document', (query, sent) => {
  expect(filtered('/v1/rerank', { query, documents: ['{document}'] })).toMatchObject({
    query: sent,
    documents: ['{document}'],
  })
})
