/** The header of a model by URL, read by the real curl from servers that behave differently, and what configure makes of it. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Model } from '../../lib/appliance/models/catalogue.ts'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { modelPath } from '../../lib/appliance/paths.ts'
import { pendingOf, planNotes } from '../../lib/appliance/plan.ts'
import { stateFiles } from '../../lib/appliance/state-files.ts'
import { readModelFile, UnusableModelError } from '../../lib/steps/models/header.ts'
import { releaseWithOwnModels, unreadModel } from '../../lib/steps/models/own-models.ts'
import { releaseFile } from '../../lib/steps/models/release.ts'
import { readModelAt } from '../../lib/steps/models/remote-header.ts'
import { readPlan } from '../../lib/steps/plan.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { $ } from '../../lib/system/shell.ts'
import { recordProof } from '../../lib/system/verified-files.ts'
import { planned } from '../../lifecycle/cli/plan.ts'
import { configure } from '../../lifecycle/configure.ts'
import { encodeGguf, type Metadata, string, type TensorValues, uint32, type Value } from '../mirror/gguf.ts'
import { startSlowServer } from '../mirror/slow-server.ts'
import { facts, type RecordedHost, recordedHost } from '../support/recorded-host.ts'

const width = 64
const metadata = (more: Metadata = new Map()): Metadata =>
  new Map([
    ['general.architecture', string('llama')],
    ['general.license', string('mit')],
    ['llama.context_length', uint32(8192)],
    ['llama.embedding_length', uint32(width)],
    ['llama.block_count', uint32(1)],
    ['llama.feed_forward_length', uint32(width)],
    ['llama.attention.head_count', uint32(2)],
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: ['a', 'b'] }],
    ...more,
  ])
const tensor = (name: string, rows: number): TensorValues => ({
  name,
  type: 'float32',
  shape: [width, rows],
  values: new Float32Array(width * rows),
})
const tensors = (rows: number) => [
  tensor('token_embd.weight', 2),
  tensor('output.weight', 2),
  tensor('blk.0.attn_q.weight', rows),
]
/** Some 26 MB, of which the header is a kilobyte. */
const model = encodeGguf(metadata(), tensors(100_000))
const sha256 = createHash('sha256').update(model).digest('hex')
/** Its header has 20 MB, more than is asked for first. */
const words: Value = { type: 'array', of: 'string', value: Array(2000).fill('x'.repeat(10_000)) }
const wordy = encodeGguf(metadata(new Map([['tokenizer.ggml.merges', words]])), tensors(width))
const mebibyte = 2 ** 20

const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-own-model-'))
const path = join(folder, 'model.gguf')
beforeAll(() => writeFileSync(path, model))
afterAll(() => rmSync(folder, { recursive: true }))

const closing: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Sends the part that the request asks for. */
function part({ headers }: IncomingMessage, response: ServerResponse, file: Buffer) {
  const [, from = '0', to = ''] = /bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? []
  const bytes = file.subarray(Number(from), Number(to) + 1)
  const range = `bytes ${from}-${Number(from) + bytes.length - 1}/${file.length}`
  response.writeHead(206, { 'content-range': range, 'content-length': bytes.length }).end(bytes)
}

/** Sends all of it, whatever was asked for. */
function all(request: IncomingMessage, response: ServerResponse, length?: number) {
  response.writeHead(200, length === undefined ? {} : { 'content-length': length })
  response.end(request.method === 'HEAD' ? undefined : model)
}

it('takes the size from the answer, and only the start of the file', async () => {
  const server = await startSlowServer({ '/m.gguf': model })
  closing.push(server.close)
  expect(await readModelAt({ query: $ }, `${server.url}/m.gguf`)).toEqual(await readModelFile(path))
  expect(server.asked).toHaveLength(1)
  expect(server.sent()).toBeLessThanOrEqual(16 * mebibyte)
})

it('asks for more if the header is longer', async () => {
  const server = await startSlowServer({ '/m.gguf': wordy })
  closing.push(server.close)
  const { size, contextLimit } = await readModelAt({ query: $ }, `${server.url}/m.gguf`)
  expect({ size, contextLimit }).toEqual({ size: wordy.length, contextLimit: 8192 })
  expect(server.asked).toHaveLength(2)
})

it.each<[string, RequestListener]>([
  ['ignores ranges', (request, response) => all(request, response, model.length)],
  [
    'does not answer HEAD',
    (request, response) =>
      request.method === 'HEAD' ? response.writeHead(405).end() : part(request, response, model),
  ],
  [
    'redirects',
    (request, response) =>
      request.url === '/m.gguf'
        ? response.writeHead(302, { location: `http://${request.headers.host}/cdn` }).end()
        : part(request, response, model),
  ],
])('reads the header from a server that %s', async (_, answer) => {
  const { size, licence } = await readModelAt({ query: $ }, `${await serve(answer)}/m.gguf`)
  expect({ size, licence }).toEqual({ size: model.length, licence: 'mit' })
})

const html = '<!doctype html><title>Sign in</title>'
it.each<[string, RequestListener, RegExp, boolean]>([
  [
    'has no such file',
    (_, response) => response.writeHead(404).end(html),
    /returned error: 404\. Check the URL/,
    true,
  ],
  ['is overloaded', (_, response) => response.writeHead(503).end(), /returned error: 503/, true],
  ['hangs up', request => request.socket.destroy(), /Download failed: /, true],
  [
    'ignores ranges and states no size',
    (request, response) => all(request, response),
    /does not state the file's size/,
    true,
  ],
  [
    'redirects to a file',
    (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    /the scheme file:, which is not allowed/,
    true,
  ],
  [
    'redirects to another host',
    (_, response) => response.writeHead(302, { location: 'http://127.0.0.2/' }).end(),
    /to another host over http/,
    true,
  ],
  [
    'redirects for ever',
    (request, response) =>
      response.writeHead(302, { location: `http://${request.headers.host}/m.gguf` }).end(),
    /more than 5 times/,
    true,
  ],
  [
    'sends a page',
    (_, response) => response.writeHead(200).end(html.repeat(10)),
    /cannot be used as a model: it is not a GGUF file/,
    false,
  ],
  ['sends an empty file', (_, response) => response.writeHead(200).end(), /it is not a GGUF file/, false],
  [
    'sends a part of the header',
    (request, response) => part(request, response, model.subarray(0, 400)),
    /truncated|longer/,
    false,
  ],
  [
    'lies about the size',
    (request, response) => part(request, response, model.subarray(0, 20_000)),
    /it is truncated: tensor/,
    false,
  ],
])('explains why, if the server %s', async (_, answer, why, isRetried) => {
  const error = await readModelAt({ query: $ }, `${await serve(answer)}/m.gguf`).catch(
    (thrown: Error) => thrown,
  )
  expect(String(error)).toMatch(why)
  expect(error instanceof UnusableModelError).toBe(!isRetried)
})

it('explains why, if there is no server, or no file', async () => {
  await expect(readModelAt({ query: $ }, 'http://127.0.0.1:9/m.gguf')).rejects.toThrow(
    'failed to connect to 127.0.0.1 port 9',
  )
  await expect(readModelAt({ query: $ }, `file://${folder}/none.gguf`)).rejects.toThrow(
    'does not exist. Attach',
  )
})

async function hostWith(url: string, digest = sha256, more = {}): Promise<RecordedHost> {
  const host = recordedHost({
    env: { ONEAPP_COPILOT_MODEL_URL: url, ONEAPP_COPILOT_MODEL_SHA256: digest, ...more },
  })
  // Of the commands, only curl's are really run.
  const query = ((pieces: TemplateStringsArray, ...args: string[]) =>
    (pieces[0] === 'prlimit --fsize=' ? $ : host.query)(pieces, ...args)) as typeof $
  await applyFiles(host, [releaseFile(productionRelease)])
  return { ...host, query }
}

it('plans it by its header, downloads it from there, and reads the header once', async () => {
  const server = await startSlowServer({ '/My_Model.gguf': model })
  closing.push(server.close)
  const host = await hostWith(`${server.url}/My_Model.gguf`)
  await configure(host)
  await configure(host)
  expect(server.asked).toHaveLength(1)
  expect(pendingOf(readPlan(host))).toMatchObject({
    url: `${server.url}/My_Model.gguf`,
    model: { name: 'my-model', size: model.length, sha256, contextLimit: 8192, own: { licence: 'mit' } },
  })
  expect(planNotes(readPlan(host)).join('\n')).toContain(
    'my-model is not in the image: serving devstral-small-2',
  )
  expect(releaseWithOwnModels(host).further.at(-1)?.name).toBe('my-model')
})

it('reads the header again in the verified file: a server may have sent another', async () => {
  const other = encodeGguf(metadata(new Map([['llama.context_length', uint32(4096)]])), tensors(100_000))
  const host = await hostWith(`${await serve((request, response) => part(request, response, other))}/m.gguf`)
  await configure(host)
  expect(pendingOf(readPlan(host))?.model.contextLimit).toBe(4096)

  host.files.makeFolder('/opt/slm-copilot/models')
  writeFileSync(host.files.at(modelPath('m')), model)
  recordProof(host, { path: modelPath('m'), sha256, proofs: stateFiles.fileProofs }, modelPath('m'))
  await configure(host)
  expect(pendingOf(readPlan(host))?.model.contextLimit).toBe(8192)
})

it('serves on what it has, says why and asks again, while the server cannot be reached', async () => {
  const host = await hostWith('http://127.0.0.1:9/m.gguf')
  await configure(host)
  expect(unreadModel(host)?.isRetried).toBe(true)
  expect(pendingOf(readPlan(host))).toBeUndefined()
  expect(planNotes(readPlan(host)).join('\n')).toMatch(
    /^Download failed: .*127\.0\.0\.1.* Serving devstral-small-2\.$/m,
  )
})

it('refuses what is no model, or does not fit, without downloading it', async () => {
  const page = await hostWith(`file://${join(folder, 'page.gguf')}`)
  writeFileSync(join(folder, 'page.gguf'), html)
  await configure(page)
  expect(unreadModel(page)?.isRetried).toBe(false)
  expect(planNotes(readPlan(page)).join('\n')).toMatch(
    /page\.gguf cannot be used as a model: it is not a GGUF file\. Serving/,
  )

  const deep = encodeGguf(metadata(new Map([['llama.embedding_length', uint32(2 ** 30)]])), tensors(width))
  writeFileSync(join(folder, 'deep.gguf'), deep)
  const tight = await hostWith(`file://${join(folder, 'deep.gguf')}`)
  await configure(tight)
  expect(pendingOf(readPlan(tight))).toBeUndefined()
  expect(planNotes(readPlan(tight)).join('\n')).toMatch(
    /deep does not fit into 32\.0 GiB .* Serving devstral-small-2\./,
  )
})

it('is a model of the catalogue, if that has its digest', async () => {
  const { sha256: digest } = productionRelease.further[0] as Model
  const host = await hostWith('https://mirror.example.com/other-name.gguf', digest)
  await configure(host)
  expect(pendingOf(readPlan(host))).toMatchObject({
    url: 'https://mirror.example.com/other-name.gguf',
    model: { name: productionRelease.further[0]?.name },
  })
})

it('`slm-copilot plan` plans for it', async () => {
  const url = await serve((request, response) => part(request, response, model))
  const text = await planned(
    { ...recordedHost(), query: $, facts: () => facts },
    { model: `${url}/m.gguf`, memory: '8G' },
    false,
  )
  expect(text).toMatch(/^m on a VM with 8\.0 GiB/)
})
