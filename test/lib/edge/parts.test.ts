import { describe, expect, it } from 'vitest'
import { partsOf, rankingOf, vectorsOf } from '../../../lib/edge/parts.ts'

const times = (count: number, text: string) => Array.from({ length: count }, () => text)

describe('the parts of a request', () => {
  it.each([
    ['one text', 'x'.repeat(20_000), ['one']],
    ['no texts', [], []],
    ['as many as fit', times(64, ''), [64]],
    ['one more', times(65, ''), [64, 1]],
    ['long ones', times(3, 'x'.repeat(8000)), [1, 1, 1]],
    ['one that alone is too long for a part', ['a', 'x'.repeat(9000), 'b'], [1, 1, 1]],
  ])('for embeddings of %s', (_, input, sizes) => {
    const parts = partsOf({ input })
    expect(parts.map(part => (Array.isArray(part.input) ? part.input.length : 'one'))).toEqual(sizes)
    expect(parts.flatMap(part => part.input)).toEqual([input].flat())
  })

  it('for reranking have the query each, which counts with each document', () => {
    const query = 'x'.repeat(4000 - 128)
    const parts = partsOf({ query, documents: ['a', 'b', 'c'] })
    expect(parts).toEqual([
      { query, documents: ['a', 'b'] },
      { query, documents: ['c'] },
    ])
  })
})

const bodyOf = (value: object) => Buffer.from(JSON.stringify(value))
const usage = (tokens: number) => ({ prompt_tokens: tokens, total_tokens: tokens })

it('vectors of all parts are one answer, numbered through', () => {
  const answer = (...vectors: number[][]) => ({
    model: 'vectors',
    object: 'list',
    usage: usage(vectors.length),
    data: vectors.map((embedding, index) => ({ embedding, index, object: 'embedding' })),
  })
  const vectors = Array.from({ length: 25 }, (_, index) => [index, index / 2])
  const parts = [vectors.slice(0, 12), vectors.slice(12, 24), vectors.slice(24)]
  const whole = vectorsOf(parts.map(part => ({ body: bodyOf(answer(...part)), texts: part.length })))
  expect(JSON.parse(whole.toString())).toEqual(answer(...vectors))
})

it('rankings of all parts are one, the best first, cut after it is whole', () => {
  const answer = (...scores: number[]) => ({
    texts: scores.length,
    body: bodyOf({
      model: 'ranker',
      usage: usage(scores.length),
      results: scores.map((relevance_score, index) => ({ index, relevance_score })),
    }),
  })
  const whole = JSON.parse(rankingOf({ top_n: 3 }, [answer(0.1, 0.5), answer(0.9), answer(0.3, 0.2)]))
  expect(whole).toMatchObject({ model: 'ranker', usage: usage(5) })
  expect(whole.results).toEqual([
    { index: 2, relevance_score: 0.9 },
    { index: 1, relevance_score: 0.5 },
    { index: 3, relevance_score: 0.3 },
  ])
})
