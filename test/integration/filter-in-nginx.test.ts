/** The request filter inside nginx's JavaScript gives the same verdicts and bytes as in Node.js, whatever is sent. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { routes } from '../../lib/appliance/requests/api.ts'
import { filterRequest } from '../../lib/edge/filter.ts'
import { type WatchedProcess, watch } from '../../packer/build/watch.ts'
import { capturedClients, capturedFrom } from '../support/captured-requests.ts'

const settings = { models: ['devstral', 'default'], readsImages: false, vocabulary: 32_000, companions: {} }

/** The filter, with a minimal entry point. The bundler fails on syntax that Debian 12's njs does not support. */
const program = buildSync({
  stdin: {
    contents: `
      import { filterRequest } from '../../lib/edge/filter.ts'
      function filter(r) {
        let text
        try {
          text = new TextDecoder('utf-8', { fatal: true }).decode(r.requestBuffer)
        } catch (_) {}
        const filtered = filterRequest(r.uri, text, ${JSON.stringify(settings)})
        r.return(filtered.status || 200, filtered.body || JSON.stringify(filtered.error))
      }
      export default { filter }`,
    resolveDir: import.meta.dirname,
  },
  bundle: true,
  write: false,
  format: 'iife',
  globalName: 'edge',
  footer: { js: 'export default edge.default' },
  target: 'es2015',
  supported: {
    'array-spread': false,
    class: false,
    'default-argument': false,
    destructuring: false,
    'for-of': false,
    generator: false,
    'rest-argument': false,
  },
})

const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-filter-'))
const socket = join(folder, 'nginx.sock')
const agent = new Agent({ keepAlive: true, maxSockets: 4 })
let nginx: WatchedProcess

beforeAll(async () => {
  writeFileSync(join(folder, 'edge.js'), program.outputFiles[0]?.text ?? '')
  const configuration = join(folder, 'nginx.conf')
  writeFileSync(
    configuration,
    `load_module /usr/lib/nginx/modules/ngx_http_js_module.so;
pid ${folder}/nginx.pid;
daemon off;
user root;
events {}
http {
    access_log off;
    client_body_temp_path ${folder}/body;
    keepalive_requests 100000;
    js_path ${folder};
    js_import edge from edge.js;
    server {
        listen unix:${socket};
        client_max_body_size 8m;
        client_body_buffer_size 8m;
        location / {
            js_content edge.filter;
        }
    }
}
`,
  )
  nginx = watch(spawn('nginx', ['-e', 'stderr', '-c', configuration], { stdio: ['ignore', 'pipe', 'pipe'] }))
  await nginx.until(async () => existsSync(socket))
})
afterAll(async () => {
  agent.destroy()
  await nginx?.stop()
  rmSync(folder, { recursive: true, force: true })
})

type FilterAnswer = { status: number; text: string }

const inNginx = (path: string, body: Buffer | string): Promise<FilterAnswer> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath: socket, agent, path, method: 'POST' }, answer => {
      const chunks: Buffer[] = []
      answer.on('data', chunk => chunks.push(chunk))
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })

const inNode = (path: string, text: string | undefined): FilterAnswer => {
  const filtered = filterRequest(path, text, settings)
  return 'body' in filtered
    ? { status: 200, text: filtered.body }
    : { status: filtered.status, text: JSON.stringify(filtered.error) }
}

const paths = routes.filter(({ method }) => method === 'POST').map(({ path }) => path)

const captured = capturedClients.flatMap(capturedFrom)

it.each(captured)('$path as clients send it', async ({ path, request }) => {
  const text = JSON.stringify({ ...request, model: 'default' })
  expect(await inNginx(path, text)).toEqual(inNode(path, text))
})

it.each([
  ['{"content":"é 😀 \\ud83d\\ude00 \\u0000 \\\\ud800"}'],
  ['{"content":"\\ud800"}'],
  ['{"content":"\\ude00\\ud83d"}'],
  ['{"content":"a\nb"}'],
  ['{"content":"\\x"}'],
  ['{"content":1e999}'],
  ['{"content":"a","content":"b","2":1,"1":1}'],
  ['{"__proto__":{"content":"a"},"constructor":1}'],
  ['\ufeff{"content":"a"}'],
  ['{"content":"a"'],
  ['[]'],
  [''],
  ['['.repeat(100_000)],
  [`{"content":${'['.repeat(60)}${']'.repeat(60)}}`],
  [`{"content":"${'😀é'.repeat(100_000)}"}`],
  [`{"content":"${'\\"'.repeat(100_000)}"}`],
  [`{"model":"${'é\\u001b'.repeat(1000)}"}`],
])('/tokenize %.40s', async text => {
  expect(await inNginx('/tokenize', text)).toEqual(inNode('/tokenize', text))
})

it('refuses what is not UTF-8', async () => {
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
    const body = Buffer.concat([Buffer.from('{"content":"'), Buffer.from(bytes), Buffer.from('"}')])
    expect(await inNginx('/tokenize', body)).toEqual(inNode('/tokenize', undefined))
  }
})

it('accepts the maximum nesting depth', async () => {
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
  const tool = (levels: number) =>
    `{"messages":[],"tools":[{"function":{"name":"a","parameters":${deep(levels)}}}]}`
  const schema = (levels: number) =>
    `{"messages":[],"json_schema":${'{"properties":{"a":'.repeat(levels)}{}${'}}'.repeat(levels)}}`
  const called = (levels: number) =>
    JSON.stringify({
      messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'a', arguments: deep(levels) } }] }],
    })
  for (const text of [60, 61, 64, 65, 1000].flatMap(n => [tool(n), schema(n >> 1), called(n)]))
    expect(await inNginx('/v1/chat/completions', text)).toEqual(inNode('/v1/chat/completions', text))
})

/** Bodies of about a megabyte that are as much work as possible. */
const user = { role: 'user', content: 'Hi' }
const toolWith = (parameters: unknown) =>
  JSON.stringify({ messages: [user], tools: [{ type: 'function', function: { name: 'a', parameters } }] })
const keyed = (count: number, letter: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${letter}${i}`, 1]))
const called = (input: object) => ({
  messages: [
    { role: 'assistant', content: Array(100).fill({ type: 'tool_use', id: 'a', name: 'b', input }) },
  ],
})
const escaped = (sequence: string) =>
  `{"messages":[{"role":"user","content":"${sequence.repeat(Math.floor(1_000_000 / sequence.length))}"}]}`
const pattern = `^${'[a-z]{1,2}'.repeat(24)}$`
const heavy: [string, string, string][] = [
  ['emoji, escaped', '/v1/chat/completions', escaped('\\ud83d\\ude00')],
  [
    'letters, escaped, and an emoji',
    '/v1/chat/completions',
    escaped('\\u00e9').replace('\\u00e9', '\\ud83d\\ude00'),
  ],
  ['backslashes, escaped', '/v1/chat/completions', escaped('\\\\')],
  ['numbers', '/v1/completions', JSON.stringify({ prompt: Array(99_000).fill(1) })],
  ['fractions', '/v1/completions', JSON.stringify({ prompt: Array(99_000).fill(1.5) })],
  ['keys', '/v1/chat/completions', JSON.stringify({ a: Array(95).fill(keyed(1000, 'k')), messages: [user] })],
  ['keys that are kept', '/v1/messages', JSON.stringify(called(keyed(900, 'k')))],
  ['keys that no message may quote', '/v1/messages', JSON.stringify(called(keyed(900, 'é')))],
  [
    'parts',
    '/v1/chat/completions',
    JSON.stringify({
      messages: Array(2000).fill({ role: 'user', content: Array(14).fill({ type: 'text', text: 'a' }) }),
    }),
  ],
  [
    'required names',
    '/v1/chat/completions',
    toolWith({ properties: { a: {} }, required: Array(95_000).fill('a') }),
  ],
  [
    'types',
    '/v1/chat/completions',
    toolWith({ type: [...Array(45_000).fill('x'), ...Array(45_000).fill('string')] }),
  ],
  [
    'patterns',
    '/v1/chat/completions',
    toolWith({ anyOf: Array(12).fill({ anyOf: Array(300).fill({ pattern }) }) }),
  ],
  [
    'references',
    '/v1/chat/completions',
    toolWith({ anyOf: Array(6).fill({ anyOf: Array(300).fill({ $ref: `#/${'a/'.repeat(240)}` }) }) }),
  ],
  [
    'names of additional properties',
    '/v1/chat/completions',
    toolWith({
      anyOf: Array(70).fill({
        properties: keyed(250, 'k'),
        required: Object.keys(keyed(250, 'k')),
        additionalProperties: true,
      }),
    }),
  ],
  [
    'arguments',
    '/v1/chat/completions',
    JSON.stringify({
      messages: [
        {
          role: 'assistant',
          tool_calls: Array(5).fill({
            function: { name: 'a', arguments: JSON.stringify(Array(90_000).fill(1)) },
          }),
        },
      ],
    }),
  ],
]

/** The most memory that nginx's worker has taken since the last question, in MiB. */
function peakMiB(): number {
  const worker = readFileSync(`/proc/${nginx.pid}/task/${nginx.pid}/children`, 'utf8').trim()
  const peak = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${worker}/status`, 'utf8'))?.[1]) / 1024
  writeFileSync(`/proc/${worker}/clear_refs`, '5')
  return peak
}

// njs frees nothing before the request has ended: what it keeps for each value decides.
it.each(heavy)('takes neither long nor much memory for a megabyte of %s', async (name, path, text) => {
  peakMiB()
  const start = performance.now()
  await inNginx(path, text)
  const [seconds, memory] = [(performance.now() - start) / 1000, peakMiB()]
  console.log(`${name}: ${text.length} bytes, ${seconds.toFixed(2)} s, ${memory.toFixed(0)} MiB`)
  expect(seconds).toBeLessThan(8)
  expect(memory).toBeLessThan(350)
})

/** njs counts code points, Node.js UTF-16 code units: with characters beyond U+FFFF, positions and lengths differ. */
const letters = ['{', '}', '[', ']', '"', ',', ':', '\\', '1', 'e', 'é', '中', '\u0001', ' ']

/** Short numbers only: njs gets the last digit of long ones wrong (`1.2022258311421363e-72` ends in 4). */
const anyJson = fc
  .jsonValue({ maxDepth: 3 })
  .map(value =>
    JSON.parse(
      JSON.stringify(value, (_, inner) => (typeof inner === 'number' ? Math.round(inner % 1e6) / 4 : inner)),
    ),
  )

/** A client's request with some values replaced, and its text truncated, or with something inserted. */
const spoilt = fc
  .record({
    given: fc.constantFrom(...captured),
    path: fc.constantFrom(...paths),
    isElsewhere: fc.integer({ min: 0, max: 9 }).map(n => n === 0),
    seed: fc.array(fc.tuple(fc.nat(400), anyJson), { maxLength: 3 }),
    cut: fc.option(fc.tuple(fc.nat(5000), fc.string({ unit: fc.constantFrom(...letters), maxLength: 4 })), {
      freq: 3,
    }),
  })
  .map(({ given, path, isElsewhere, seed, cut }) => {
    let count = 0
    const replaced = JSON.stringify(given.request, (_, value) => {
      const found = seed.find(([at]) => at === count)
      count++
      return found === undefined ? value : found[1]
    })
    const text =
      cut === null ? replaced : replaced.slice(0, cut[0]) + cut[1] + replaced.slice(cut[0] + cut[1].length)
    return { path: isElsewhere ? path : given.path, text: text.replaceAll('"sentence"', '"default"') }
  })

it('gives the same verdict on mutated requests', async () => {
  await fc.assert(
    fc.asyncProperty(spoilt, async ({ path, text }) => {
      const well = Buffer.from(text).toString()
      expect(await inNginx(path, well)).toEqual(inNode(path, well))
    }),
    { numRuns: 1500 },
  )
})
