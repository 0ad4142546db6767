import { describe, expect, it } from 'vitest'
import { filterRequest } from '../../../lib/edge/filter.ts'

const infill = { prefix: '<P>', suffix: '<S>', middle: '<M>' }
const companion = (model: string) => ({
  model,
  vocabulary: 100,
  contextSize: 2048,
  texts: 512,
  extra: 200,
  prefix: 3000,
  suffix: 20,
  infill,
})
const settings = {
  models: ['chat', 'default'],
  readsImages: false,
  vocabulary: 32_000,
  companions: { completion: companion('coder'), embeddings: companion('vectors') },
}
const ask = (path: string, request: object, salt?: string, others = {}) => {
  const filtered = filterRequest(path, JSON.stringify(request), { ...settings, ...others }, salt)
  if ('status' in filtered)
    return {
      refused: `${filtered.status} ${(filtered.error as { error: { message: string } }).error.message}`,
    }
  return { service: filtered.service, ...JSON.parse(filtered.body) }
}
const gap = { input_prefix: 'a', input_suffix: 'b' }

describe('which service a request is for', () => {
  it.each([
    ['/infill', gap, 'completion'],
    ['/infill', { ...gap, model: 'chat' }, 'completion'],
    ['/v1/completions', { prompt: 'a', suffix: 'b' }, 'completion'],
    ['/v1/completions', { prompt: 'a', suffix: 'b', model: 'default' }, 'completion'],
    ['/v1/completions', { prompt: 'a', model: 'coder' }, 'completion'],
    ['/v1/completions', { prompt: 'a', suffix: '' }, 'chat'],
    ['/v1/completions', { prompt: 'a', suffix: null }, 'chat'],
    ['/v1/completions', { prompt: 'a', model: 'chat' }, 'chat'],
    ['/v1/chat/completions', { messages: [] }, 'chat'],
    ['/v1/embeddings', { input: 'a' }, 'embeddings'],
    ['/v1/embeddings', { input: ['a'], model: 'vectors', encoding_format: 'base64' }, 'embeddings'],
  ])('%s %j', (path, request, service) => {
    expect(ask(path, request)).toMatchObject({ service })
  })

  it.each([
    [
      '/v1/embeddings',
      { input: 'a', model: 'coder' },
      '404 Unknown model "coder": this server runs "vectors".',
    ],
    [
      '/v1/chat/completions',
      { messages: [], model: 'coder' },
      '404 Unknown model "coder": this server runs "chat".',
    ],
    [
      '/v1/rerank',
      { query: 'a', documents: ['b'] },
      '404 There is no service for reranking on this appliance.',
    ],
    [
      '/v1/embeddings',
      { input: 'a', dimensions: 64 },
      '400 dimensions: not supported: the model decides how long its vectors are.',
    ],
    ['/v1/embeddings', { input: [1, 2] }, '400 input[0]: expected a string, got 1.'],
    ['/v1/completions', { prompt: [100], model: 'coder' }, /^400 prompt: expected .* from 0 to 99/],
    [
      '/v1/completions',
      { prompt: [1, 2], suffix: 'b' },
      '400 prompt: with a suffix, expected a string, got tokens.',
    ],
  ])('%s %j is refused', (path, request, message) => {
    const { refused } = ask(path, request)
    if (typeof message === 'string') expect(refused).toBe(message)
    else expect(refused).toMatch(message)
  })

  it('is chat where there is no other', () => {
    const alone = { companions: {} }
    expect(ask('/infill', gap, undefined, alone)).toMatchObject({ service: 'chat' })
    expect(ask('/v1/completions', { prompt: 'a', suffix: 'b' }, undefined, alone).refused).toMatch(
      /^400 suffix: not supported/,
    )
  })
})

describe('a gap', () => {
  it("has the model's own tokens around it in OpenAI's form", () => {
    const {
      prompt,
      suffix,
      max_tokens: length,
    } = ask('/v1/completions', { prompt: 'a', suffix: 'b', max_tokens: 9 })
    expect({ prompt, suffix, length }).toEqual({ prompt: '<P>a<S>b<M>', suffix: undefined, length: 9 })
  })

  it.each([
    [{}, { n_predict: 128 }],
    [{ n_predict: 32 }, { n_predict: 32 }],
    [{ n_predict: -1 }, { n_predict: 512 }],
    [{ n_predict: 0 }, { n_predict: 0 }],
    [{ n_predict: 512 }, { n_predict: 512 }],
    [{ n_predict: 513 }, { n_predict: 512 }],
    [{ max_tokens: 4096 }, { max_tokens: 512 }],
  ])('is filled with a number of tokens that has an end: %j', (given, expected) => {
    expect(ask('/infill', { ...gap, ...given })).toMatchObject(expected)
  })

  // Left with a whole vocabulary, this sampler compares each token with each other one.
  it.each([
    [{}, undefined, undefined],
    [{ samplers: ['top_p'], top_k: 0 }, ['top_p'], 0],
    [{ samplers: ['top_k', 'top_p', 'infill'], top_k: 40 }, ['top_k', 'top_p', 'infill'], 40],
    [{ samplers: ['infill'] }, ['top_k', 'infill'], 40],
    [{ samplers: ['infill', 'top_k'], top_k: 7 }, ['top_k', 'infill', 'top_k'], 7],
    [{ samplers: ['top_p', 'infill'], top_k: 0 }, ['top_k', 'top_p', 'infill'], 40],
    [{ samplers: ['top_k', 'infill'], top_k: -1 }, ['top_k', 'infill'], 40],
    [{ samplers: ['top_k', 'infill'], top_k: 1_000_000 }, ['top_k', 'infill'], 100],
    [{ samplers: ['top_k', 'infill'], top_k: 101 }, ['top_k', 'infill'], 100],
  ])('is chosen for among few tokens: %j', (given, samplers, topK) => {
    for (const companions of [settings.companions, {}])
      expect(ask('/infill', { ...gap, ignore_eos: true, ...given }, undefined, { companions })).toMatchObject(
        {
          ...(samplers === undefined ? {} : { samplers }),
          ...(topK === undefined ? {} : { top_k: topK }),
        },
      )
  })

  // llama-server knows each by further names, which the filter does not look for.
  it.each(['Infill', 'INFILL', 'topk', 'top-k', 'temp', 'x', ''])('takes no sampler "%s"', name => {
    expect(ask('/infill', { ...gap, samplers: [name] }).refused).toMatch(
      /^400 samplers\[0\]: expected one of /,
    )
  })

  it('starts at the same line while a step is typed, and ends where the cursor is', () => {
    const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}\n`).join('')
    const prefixOf = (text: string): string => ask('/infill', { ...gap, input_prefix: text }).input_prefix
    const before = prefixOf(lines(600))
    expect(before.length).toBeLessThanOrEqual(3000)
    expect(before).toMatch(/^line \d+\n/)
    expect(before.endsWith('line 599\n')).toBe(true)
    expect(prefixOf(`${lines(600)}x = 1`)).toBe(`${before}x = 1`)
    expect(ask('/infill', { ...gap, input_suffix: 'y'.repeat(99) }).input_suffix).toBe('y'.repeat(20))
  })

  it.each([
    ['as long as it may be', 'x'.repeat(3000), 3000],
    ['longer, without lines: by a step', 'x'.repeat(3001), 3001 - 512],
    ['longer, at the next line', `${'x'.repeat(600)}\n${'y'.repeat(2900)}`, 2900],
  ])('has a prefix %s', (_, prefix, length) => {
    const { input_prefix: found } = ask('/infill', { ...gap, input_prefix: prefix })
    expect(found).toBe(prefix.slice(-length))
    const { prompt } = ask('/v1/completions', { prompt: prefix, suffix: 'z'.repeat(99) })
    expect(prompt).toBe(`<P>${prefix.slice(-length)}<S>${'z'.repeat(20)}<M>`)
  })

  it.each([
    ['one that fits', [{ filename: 'a', text: 'b'.repeat(197) }], 1],
    ['one that does not', [{ filename: 'a', text: 'b'.repeat(198) }], 0],
    ['the last ones', [{ text: 'b'.repeat(150) }, { text: 'c'.repeat(90) }, { text: 'd'.repeat(90) }], 2],
    ['by bytes, not characters', [{ filename: 'a', text: 'é'.repeat(99) }], 0],
    ['four bytes beyond the basic plane', [{ filename: 'a', text: '😀'.repeat(49) }], 1],
    ['and no more of them', [{ filename: 'a', text: '😀'.repeat(50) }], 0],
    ['one byte in ASCII', [{ filename: 'a', text: '\x7f'.repeat(197) }], 1],
    ['two bytes from there', [{ filename: 'a', text: '\x80'.repeat(99) }], 0],
    ['two bytes', [{ filename: 'a', text: '\u07ff'.repeat(98) }], 1],
    ['three bytes from there', [{ filename: 'a', text: '\u0800'.repeat(66) }], 0],
    ['three bytes', [{ filename: 'a', text: '\uffff'.repeat(65) }], 1],
    ['three bytes beyond the surrogates, too', [{ filename: 'a', text: '\ue000'.repeat(66) }], 0],
    ['a name of three characters, if it has none', [{ text: 'b'.repeat(195) }], 1],
    ['and no more than that', [{ text: 'b'.repeat(196) }], 0],
  ])('keeps further files: %s', (_, extra, count) => {
    expect(ask('/infill', { ...gap, input_extra: extra }).input_extra).toHaveLength(count)
  })

  it("begins with the tenant's mark", () => {
    const salt = 'SaltSaltSalt'
    expect(ask('/infill', { ...gap, input_extra: [{ text: 'b' }] }, salt).input_extra).toEqual([
      { filename: 'tag', text: expect.stringContaining(salt) },
      { text: 'b' },
    ])
    expect(ask('/infill', gap, salt).cache_prompt).toBeUndefined()
    expect(ask('/v1/completions', { prompt: 'a', suffix: 'b' }, salt).prompt).toMatch(
      /^\(SaltSaltSalt .*\n<P>a<S>b<M>$/s,
    )
    expect(ask('/infill', gap, salt, { companions: {} })).toMatchObject({ cache_prompt: false })
  })
})
