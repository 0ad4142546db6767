/** The archive and the model together: the real llama-server, on a unix socket, answers with the sentence. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type WatchedProcess, watch } from '../../packer/build/watch.ts'
import { encodeGguf, type Metadata, readMetadata } from './gguf.ts'
import { llamaRelease } from './llama-release.ts'
import { llamaTag } from './llama-source.ts'
import { sentence, sentenceModel } from './sentence-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'sentence-'))
const socketPath = join(folder, 'llama.sock')
let server: WatchedProcess | undefined

// Half an hour: with an empty cache llama-server is compiled first.
beforeAll(async () => {
  execFileSync('tar', ['-xf', await llamaRelease(), '-C', folder])
  server = startServer(await sentenceModel())
  await server.until(isHealthy)
}, 1_800_000)

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('the model that knows one sentence', { timeout: 60_000 }, () => {
  it.each([
    ['a greeting', [{ role: 'user', content: 'Hi' }]],
    ['words of the sentence', [{ role: 'user', content: `${sentence} Hello! This small model` }]],
    ['no words', [{ role: 'user', content: '' }]],
    [
      'a conversation',
      [
        { role: 'system', content: 'You are terse.' },
        { role: 'user', content: 'Write fizzbuzz in Rust 🦀' },
        { role: 'assistant', content: 'No.' },
        { role: 'user', content: [{ type: 'text', text: 'Please.' }] },
      ],
    ],
  ])('answers %s', async (_, messages) => {
    const { choices } = JSON.parse(await post('/v1/chat/completions', { messages, temperature: 2 }))
    expect(choices).toHaveLength(1)
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: sentence } })
  })

  it('streams, a token at a time', async () => {
    const body = { messages: [{ role: 'user', content: 'Hi' }], stream: true, temperature: 0 }
    const chunks = eventsOf(await post('/v1/chat/completions', body))
    const pieces = chunks.map(chunk => chunk.choices[0]?.delta.content).filter(Boolean)
    expect(pieces.join('')).toBe(sentence)
    expect(pieces.length).toBeGreaterThan(10)
    expect(chunks.map(chunk => chunk.choices[0]?.finish_reason)).toContain('stop')
  })

  it('starts over until the token limit if the end is ignored', async () => {
    const body = { messages: [{ role: 'user', content: 'Hi' }], ignore_eos: true, max_tokens: 45 }
    const { choices } = JSON.parse(await post('/v1/chat/completions', body))
    expect(choices[0].finish_reason).toBe('length')
    expect(choices[0].message.content).toBe(`${sentence} ${sentence} ${sentence}`)
  })
})

it('reads the metadata that it wrote', () => {
  const metadata: Metadata = new Map([
    ['number', { type: 'uint32', value: 4_000_000_000 }],
    ['negative', { type: 'int32', value: -1 }],
    ['half', { type: 'float32', value: 0.5 }],
    ['flag', { type: 'bool', value: true }],
    ['text', { type: 'string', value: '▁Hello' }],
    ['texts', { type: 'array', of: 'string', value: ['', '🦀'] }],
    ['numbers', { type: 'array', of: 'int32', value: [-1, 0, 1] }],
  ])
  expect(readMetadata(encodeGguf(metadata, []))).toEqual(metadata)
})

type Chunk = { choices: { delta: { content?: string }; finish_reason: string | null }[] }

/** The events of a stream, which must end with `[DONE]`. */
function eventsOf(stream: string): Chunk[] {
  const data = stream.split('\n').filter(line => line.startsWith('data: '))
  expect(data.pop()).toBe('data: [DONE]')
  return data.map(line => JSON.parse(line.slice('data: '.length)))
}

const startServer = (model: string) =>
  watch(
    spawn(join(folder, `llama-${llamaTag}`, 'llama-server'), [], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        LLAMA_ARG_MODEL: model,
        LLAMA_ARG_HOST: socketPath,
        LLAMA_ARG_KV_UNIFIED_PER_SLOT: '32768',
        LLAMA_ARG_N_PARALLEL: '2',
        // Threads wait for each other at barriers: on a busy machine, two take a hundred times as long as one.
        LLAMA_ARG_THREADS: '1',
        LLAMA_ARG_CACHE_RAM: '0',
        LLAMA_ARG_FIT: 'off',
        LLAMA_ARG_OFFLINE: '1',
      },
    }),
  )

/** False while the model loads (503), or while there is no socket (an error). */
const isHealthy = () =>
  send('GET', '/health').then(
    answer => answer.status === 200,
    () => false,
  )

async function post(path: string, body: object): Promise<string> {
  const answer = await send('POST', path, JSON.stringify(body))
  expect(answer, answer.body).toMatchObject({ status: 200 })
  return answer.body
}

/** A new connection for each request: llama-server closes them after a stream, so a reused one would fail. */
const send = (method: string, path: string, body = '') =>
  new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
    request({ socketPath, method, path, headers, agent: false }, async response =>
      resolve({ status: response.statusCode, body: await text(response) }),
    )
      .on('error', reject)
      .end(body)
  })
