/** The services beside chat, as clients see them: real llama-servers with small models, behind both proxies. */
import { request } from 'node:https'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { http } from '../../lib/system/http.ts'
import { vectorLength } from '../mirror/embedding-model.ts'
import { gapText } from '../mirror/infill-model.ts'
import { sentence } from '../mirror/sentence-model.ts'
import { type Stack, startStack } from './support/stack.ts'

const keys = { alice: 'alice-has-this-key', bob: 'bob-has-another-key' }

let stack: Stack
beforeAll(async () => {
  stack = await startStack(
    {
      ONEAPP_COPILOT_KEYS: `alice=${keys.alice} bob=${keys.bob}`,
      ONEAPP_COPILOT_EMBEDDINGS: 'vectors ranker',
    },
    { companions: ['infill', 'vectors', 'ranker'] },
  )
})
afterAll(() => stack?.close())

async function ask(path: string, json: object, key = keys.alice) {
  const headers = { authorization: `Bearer ${key}` }
  const { status, body } = await http({
    url: `${stack.url}${path}`,
    ca: stack.ca,
    headers,
    json,
    timeout: 120,
  })
  return { status, answer: JSON.parse(body) }
}

/** As llama.vim and llama.vscode send it (August 2026). */
const infill = {
  id_slot: 0,
  input_prefix: 'def add(left, right):\n',
  input_suffix: '\n\nprint(add(1, 2))\n',
  input_extra: [
    { filename: 'other.py', text: 'def subtract(left, right):\n    return left - right\n', time: 1 },
  ],
  prompt: '    return',
  n_predict: 32,
  n_indent: 4,
  top_k: 40,
  top_p: 0.99,
  stream: false,
  samplers: ['top_k', 'top_p', 'infill'],
  cache_prompt: true,
  t_max_prompt_ms: 500,
  t_max_predict_ms: 500,
  response_fields: ['content', 'timings/prompt_n', 'truncated'],
}

describe('completion', () => {
  it('fills a gap as the editors ask for it', async () => {
    const { status, answer } = await ask('/infill', {
      ...infill,
      t_max_prompt_ms: 60_000,
      t_max_predict_ms: 60_000,
    })
    expect({ status, content: answer.content }).toEqual({ status: 200, content: gapText })
  })

  it.each([
    ['a suffix', { prompt: 'def add(left, right):\n    return', suffix: '\n' }],
    ['a suffix, and the name of the chat model', { model: 'sentence', prompt: 'return', suffix: '\n' }],
    [
      "the model's own tokens, and its name",
      { model: 'infill', prompt: '<|fim_prefix|>return<|fim_suffix|>\n<|fim_middle|>' },
    ],
  ])("fills it in OpenAI's form: %s", async (_, request) => {
    const { status, answer } = await ask('/v1/completions', { ...request, max_tokens: 32 })
    expect({ status, model: answer.model, text: answer.choices?.[0].text }).toEqual({
      status: 200,
      model: 'infill',
      text: gapText,
    })
  })

  it('leaves other completions to chat', async () => {
    const { answer } = await ask('/v1/completions', { prompt: 'Hi', suffix: '', max_tokens: 40 })
    expect(answer).toMatchObject({ model: 'sentence', choices: [{ text: sentence }] })
  })

  it('reuses what the same key has sent, and nothing of what another has', async () => {
    const request = {
      ...infill,
      input_prefix: '# a line of code\n'.repeat(60),
      response_fields: undefined,
      n_predict: 4,
    }
    const timings = async (key: string) => (await ask('/infill', request, key)).answer.timings
    await timings(keys.alice)
    const own = await timings(keys.alice)
    const others = (await timings(keys.bob)).cache_n
    expect(own.cache_n / (own.cache_n + own.prompt_n)).toBeGreaterThan(0.95)
    // The tokens that begin every prompt with further files.
    expect(others).toBeLessThan(12)
  })

  it('keeps the mark however much is sent, and room for the answer', async () => {
    const extra = Array.from({ length: 40 }, (_, index) => ({
      filename: `${index}.py`,
      text: '1 2 3 4 5 6 7 8 9 '.repeat(40),
    }))
    const request = { ...infill, input_extra: extra, response_fields: undefined, n_predict: 4 }
    const send = (key: string) => ask('/infill', request, key)
    expect((await send(keys.alice)).status).toBe(200)
    expect((await send(keys.bob)).answer.timings.cache_n).toBeLessThan(12)
  })

  it('ends with its client, from however many addresses', { timeout: 120_000 }, async () => {
    const long = { model: 'infill', prompt: 'Hi', ignore_eos: true, max_tokens: 512, stream: true }
    const leave = (localAddress: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = request(
          `${stack.url}/v1/completions`,
          {
            method: 'POST',
            ca: stack.ca,
            agent: false,
            localAddress,
            headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' },
          },
          response =>
            response.once('data', () => {
              resolve(response.statusCode)
              sent.destroy()
            }),
        ).on('error', reject)
        sent.end(JSON.stringify(long))
      })
    const started = performance.now()
    for (let index = 2; index < 22; index += 1) {
      expect(await leave(`127.0.0.${index}`)).toBe(200)
      // The end of what is cancelled may be a batch away.
      await setTimeout(50)
    }
    expect((await ask('/infill', infill, keys.bob)).status).toBe(200)
    // A minute, if each were computed to its end.
    expect(performance.now() - started).toBeLessThan(20_000)
  })
})

const tooLong = (service: string) =>
  new RegExp(
    `^A text has \\d{4,5} tokens, and the service for ${service} takes 2048 at most: split longer texts.$`,
  )

describe('embeddings', () => {
  it("come in Base64 to OpenAI's own SDK, which asks for that", async () => {
    const { answer } = await ask('/v1/embeddings', { input: 'a', encoding_format: 'base64' })
    expect(Buffer.from(answer.data[0].embedding, 'base64').length).toBe(4 * vectorLength)
  })

  it.each([
    ['one text', 'def add(left, right):', 1],
    ['several', ['one', 'two', 'three'], 3],
  ])('%s', async (_, input, count) => {
    const { status, answer } = await ask('/v1/embeddings', { model: 'vectors', input })
    expect(status).toBe(200)
    expect(answer.data.map(({ embedding }: { embedding: number[] }) => embedding.length)).toEqual(
      Array.from({ length: count }, () => vectorLength),
    )
  })

  it('are the same whatever else is in the request, for whichever key', async () => {
    const text = 'a piece of code to look for'
    const vectorOf = async (input: string[], index: number, key = keys.alice) =>
      (await ask('/v1/embeddings', { input }, key)).answer.data[index].embedding
    const alone = await vectorOf([text], 0)
    expect(await vectorOf(['before it', text, `${text} and more`], 1, keys.bob)).toEqual(alone)
    expect(await vectorOf([`${text} `, text], 1)).toEqual(alone)
  })

  it.each(['float', 'base64'])('of many texts, computed in parts, are those of each: %s', async format => {
    const texts = Array.from({ length: 140 }, (_, index) => `${index} ${'word '.repeat(index % 9)}`)
    const vectorsOf = async (input: string[]) => {
      const { answer } = await ask('/v1/embeddings', { input, encoding_format: format })
      expect(answer.data.map(({ index }: { index: number }) => index)).toEqual(input.map((_, index) => index))
      return { tokens: answer.usage.total_tokens, vectors: answer.data.map(vectorIn) }
    }
    const vectorIn = ({ embedding }: { embedding: unknown }) => JSON.stringify(embedding)
    const all = await vectorsOf(texts)
    const one = await vectorsOf(texts.slice(0, 30))
    const rest = await vectorsOf(texts.slice(30))
    expect(all.vectors).toEqual([...one.vectors, ...rest.vectors])
    expect(all.tokens).toBe(one.tokens + rest.tokens)
    expect(new Set(all.vectors).size).toBe(140)
  })

  it('of one text do not wait for all those of another key', async () => {
    const input = Array.from({ length: 1000 }, (_, index) => `${index} a line of code`)
    let isIndexed = false
    const index = ask('/v1/embeddings', { input, encoding_format: 'base64' }).finally(() => {
      isIndexed = true
    })
    await setTimeout(300)
    for (let count = 0; count < 3; count++)
      expect((await ask('/v1/embeddings', { input: 'how are lines added?' }, keys.bob)).status).toBe(200)
    expect(isIndexed).toBe(false)
    expect((await index).status).toBe(200)
  })

  it('are refused for a text that is too long, with its limit', async () => {
    const many = Array.from({ length: 200 }, () => 'word')
    expect((await ask('/v1/embeddings', { input: [...many, 'word '.repeat(4000)] })).status).toBe(400)
    const { status, answer } = await ask('/v1/embeddings', { input: ['short', 'word '.repeat(4000)] })
    expect({ status, message: answer.error.message }).toEqual({
      status: 400,
      message: expect.stringMatching(tooLong('embeddings')),
    })
  })

  it('are refused by name of another model', async () => {
    const { status, answer } = await ask('/v1/embeddings', { model: 'text-embedding-3-small', input: 'a' })
    expect({ status, message: answer.error.message }).toEqual({
      status: 404,
      message: 'Unknown model "text-embedding-3-small": this server runs "vectors".',
    })
  })
})

describe('reranking', () => {
  it('scores many documents, in parts, as it scores each', async () => {
    const documents = Array.from({ length: 140 }, (_, index) => `${index} ${'word '.repeat(index % 9)}`)
    const ranked = async (some: string[], top_n?: number) =>
      (await ask('/v1/rerank', { query: 'add', documents: some, top_n })).answer
    type Scored = { index: number; relevance_score: number }
    const scoreOf = ({ results }: { results: Scored[] }, index: number) =>
      results.find(one => one.index === index)?.relevance_score
    const [all, end, best] = [
      await ranked(documents),
      await ranked(documents.slice(100)),
      await ranked(documents, 3),
    ]
    expect(scoreOf(all, 139)).toBe(scoreOf(end, 39))
    const scores = all.results.map((one: Scored) => one.relevance_score)
    expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a))
    expect(new Set(all.results.map((one: Scored) => one.index)).size).toBe(140)
    expect(best.results).toEqual(all.results.slice(0, 3))
  })

  it('scores every document, and cuts the list', async () => {
    const request = { model: 'ranker', query: 'add', documents: ['one', 'two', 'three'] }
    const { status, answer } = await ask('/v1/rerank', request)
    expect(status).toBe(200)
    expect(answer.results).toHaveLength(3)
    expect((await ask('/v1/rerank', { ...request, top_n: 2 })).answer.results).toHaveLength(2)
  })

  it('refuses a document that is too long, with its limit', async () => {
    const documents = ['short', 'word '.repeat(4000)]
    const { status, answer } = await ask('/v1/rerank', { query: 'add', documents })
    expect({ status, message: answer.error.message }).toEqual({
      status: 400,
      message: expect.stringMatching(tooLong('reranking')),
    })
  })

  // llama-server would put the document into each place: 60 MB of text, and gigabytes of tokens.
  it('does not multiply what it is sent', { timeout: 60_000 }, async () => {
    const request = { query: '{document}'.repeat(2000), documents: ['x'.repeat(30_000)] }
    expect((await ask('/v1/rerank', request)).status).toBe(400)
    const most = { query: '{document}'.repeat(100), documents: ['x '.repeat(100)] }
    const { status, answer } = await ask('/v1/rerank', most)
    expect({ status, isShort: answer.usage?.prompt_tokens < 2048 }).toEqual({ status: 200, isShort: true })
  })
})

it('an encoder, too, refuses a text that is too long, with its limit', async () => {
  const bert = await startStack({ ONEAPP_COPILOT_EMBEDDINGS: 'bert' }, { companions: ['bert'] })
  try {
    const { status, body } = await http({
      url: `${bert.url}/v1/embeddings`,
      ca: bert.ca,
      headers: { authorization: `Bearer ${bert.key}` },
      json: { input: ['short', 'word '.repeat(4000)] },
      timeout: 60,
    })
    expect({ status, message: JSON.parse(body).error.message }).toEqual({
      status: 400,
      message: expect.stringMatching(tooLong('embeddings')),
    })
  } finally {
    await bert.close()
  }
})

it.each(['sentence', 'infill', 'vectors', 'ranker'])('knows the model %s by its name', async name => {
  const headers = { authorization: `Bearer ${keys.bob}` }
  const { status, body } = await http({
    url: `${stack.url}/v1/models/${name}`,
    ca: stack.ca,
    headers,
    timeout: 60,
  })
  expect({ status, id: JSON.parse(body).id }).toEqual({ status: 200, id: name })
})

it('keeps chat as it is', async () => {
  const { answer } = await ask('/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] })
  expect(answer.choices[0].message.content).toBe(sentence)
})
