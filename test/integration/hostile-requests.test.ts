/** Thousands of malformed credentials, hundreds of path tricks, and smuggled requests: none reaches llama-server. */
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { metricsPath, openPaths, routes } from '../../lib/appliance/requests/api.ts'
import { http } from '../../lib/system/http.ts'
import { type Random, seededRandom } from './support/seeded-random.ts'
import { type Edge, startEdge } from './support/stack.ts'
import { type StandIn, startStandIn } from './support/stand-in-llama.ts'

const key = 'The-only-key_which/opens+this~door'
const alice = 'alices-own-key-0123'
const basic = (credentials: string | Buffer) => `Basic ${Buffer.from(credentials).toString('base64')}`
const good = [`Bearer ${key}`, basic(`copilot:${key}`), `Bearer ${alice}`, basic(`alice:${alice}`)]

let edge: Edge
let standIn: StandIn
/** What has reached llama-server. */
let received: IncomingMessage[] = []

beforeAll(async () => {
  edge = await startEdge({ ONEAPP_COPILOT_PASSWORD: key, ONEAPP_COPILOT_KEYS: `alice=${alice}` })
  standIn = await startStandIn(edge, (request, response) => {
    received.push(request)
    response.end('{}')
  })
})
afterAll(async () => {
  await standIn?.stop()
  await edge?.close()
})

/** A valid request must pass before and after each test, to prove that nginx and the stand-in are up. */
async function expectGoodRequestsToPass() {
  received = []
  for (const authorization of good) {
    const { status } = await http({
      url: `${edge.url}/v1/models`,
      ca: edge.ca,
      headers: { authorization },
      timeout: 10,
    })
    expect(status).toBe(200)
  }
  expect(received.map(({ url }) => url)).toEqual(good.map(() => '/v1/models'))
}
beforeEach(async () => {
  await expectGoodRequestsToPass()
  received = []
})
afterEach(expectGoodRequestsToPass)

/** A new loopback address: nginx checks no more keys from an address with too many failures. */
let addresses = 0
const nextAddress = () => {
  addresses += 1
  return `127.${1 + (addresses >> 16)}.${(addresses >> 8) & 255}.${1 + (addresses & 127)}`
}

/** Sends bytes over TLS, and resolves with the status of each response: none if the connection is just closed. */
const send = (bytes: Buffer) =>
  new Promise<number[]>(resolve => {
    let answer = ''
    const end = () =>
      resolve([...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status)))
    const options = { host: '127.0.0.1', port: edge.httpsPort, ca: edge.ca, localAddress: nextAddress() }
    const socket = connect(options, () => socket.write(bytes))
    socket.setEncoding('latin1').on('data', chunk => {
      answer += chunk
    })
    socket.setTimeout(5_000, () => socket.destroy())
    socket.on('error', end).on('close', end)
  })

const requestOf = (lines: (string | Buffer)[], path = '/v1/models') =>
  Buffer.concat(
    [`GET ${path} HTTP/1.1`, 'Host: copilot', 'Connection: close', ...lines, '', '']
      .map(line => (typeof line === 'string' ? Buffer.from(line, 'latin1') : line))
      .flatMap((line, index) => (index === 0 ? [line] : [Buffer.from('\r\n'), line])),
  )

type Corruption = (value: string, random: Random) => (string | Buffer)[]
const header = (value: string) => [`Authorization: ${value}`]
const at = (value: string, index: number, replacement: string) =>
  value.slice(0, index) + replacement + value.slice(index + 1)
const letterCase = (character: string) =>
  character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase()

/** Ways to corrupt a good Authorization header. Each returns header lines, none of which holds good credentials. */
const corruptions: Record<string, Corruption> = {
  truncated: (value, random) => header(value.slice(0, random(value.length - 1)).trimEnd()),
  longer: (value, random) => header(value + String.fromCharCode(33 + random(94))),
  'another case': (value, random) => {
    const letters = [...value].flatMap((character, index) =>
      index > 7 && letterCase(character) !== character ? [index] : [],
    )
    const index = letters[random(letters.length)] as number
    return header(at(value, index, letterCase(value[index] as string)))
  },
  'one character': (value, random) => {
    const index = 7 + random(value.length - 7)
    return header(at(value, index, value[index] === 'q' ? 'r' : 'q'))
  },
  'a NUL': (value, random) => header(at(value, random(value.length), '\0')),
  'a control character': (value, random) =>
    header(at(value, 7 + random(value.length - 7), String.fromCharCode(1 + random(8)))),
  huge: (value, random) => header(`${value}${'x'.repeat(1000 + random(40_000))}`),
  'another scheme': (value, random) =>
    header(
      value.replace(
        /^\S+/,
        ['Digest', 'Token', 'Bearerx', 'Negotiate', 'Basic,Bearer', 'B'][random(6)] as string,
      ),
    ),
  'no scheme': value => header(value.replace(/^\S+ /, '')),
  'comma-joined': (value, random) => header(random(2) ? `${value}, ${value}` : `Bearer wrong, ${value}`),
  'percent-encoded': value =>
    header(
      value.replace(
        / (.*)/,
        (_, text) => ` ${[...text].map(c => `%${c.charCodeAt(0).toString(16)}`).join('')}`,
      ),
    ),
  quoted: value => header(value.replace(/ (.*)/, ' "$1"')),
  'Base64 that is not UTF-8': (_, random) =>
    header(basic(Buffer.from([0xff, 0xfe, random(256), 0x3a, random(256)]))),
  'Base64 of another user': (_, random) =>
    header(basic(`${['root', 'admin', '', 'Copilot', 'copilot '][random(5)]}:${key}`)),
  'Base64 without a colon': () => header(basic(`copilot${key}`)),
  'folded over two lines': value => [`Authorization: ${value.slice(0, 12)}`, ` ${value.slice(12)}`],
  'a tab instead of the space': value => header(value.replace(' ', '\t')),
  'another header': (value, random) => [
    `${['X-Authorization', 'Proxy-Authorization', 'Authorization_', 'Cookie'][random(4)]}: ${value}`,
  ],
  'x-api-key with a scheme': value => [`x-api-key: ${value}`],
  'x-api-key with one character replaced': (_, random) => [
    `x-api-key: ${at(key, random(key.length), '\x7f')}`,
  ],
  'only the name': (_, random) => [`x-api-key: ${['alice', 'copilot', 'default'][random(3)]}`],
}

it('accepts none of 5000 malformed authorisations', { timeout: 600_000 }, async () => {
  const random = seededRandom(7)
  const kinds = Object.entries(corruptions)
  const statuses = new Map<number, number>()
  for (let batch = 0; batch < 5000; batch += 50) {
    const tries = Array.from({ length: 50 }, (_, index) => {
      const [kind, corrupt] = kinds[(batch + index) % kinds.length] as [string, Corruption]
      return { kind, lines: corrupt(good[random(good.length)] as string, random) }
    })
    const answers = await Promise.all(tries.map(({ lines }) => send(requestOf(lines))))
    for (const [index, answer] of answers.entries()) {
      const status = answer[0] ?? 0
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const told = `${tries[index]?.kind}: ${JSON.stringify(String(tries[index]?.lines))}`.slice(0, 200)
      expect([0, 400, 401, 414, 429, 431, 494], told).toContain(status)
    }
  }
  console.log(Object.fromEntries(statuses))
  expect(received.map(({ headers }) => headers)).toEqual([])
  // Most must be well-formed HTTP that nginx answers: a connection that is just closed proves little.
  expect(statuses.get(401)).toBeGreaterThan(2500)
  expect(statuses.get(0) ?? 0).toBeLessThan(500)
})

const targets = [
  '/slots',
  '/v1/stream',
  '/lora-adapters',
  '/props',
  '/v1/models',
  '/cors-proxy',
  '/tools',
  '/metrics',
  '/completion',
  '/models',
]
const disguises: ((open: string, target: string) => string)[] = [
  (open, target) => `${open}/..${target}`,
  (open, target) => `${open}/%2e%2e${target}`,
  (open, target) => `${open}/..;${target}`,
  (open, target) => `${open}/.%2e%2f${target.slice(1)}`,
  (open, target) => `${open}%2f..${target}`,
  (open, target) => `${open}/%252e%252e${target}`,
  (open, target) => `${open}\\..${target}`,
  (open, target) => `${open}?/..${target}`,
  (open, target) => `${open};/..${target}`,
  (open, target) => `${open}#/..${target}`,
  (open, target) => `${open}%00${target}`,
  (open, target) => `${open}%20${target}`,
  (_, target) => `/${target}`,
  (_, target) => `//${target}`,
  (_, target) => `/.${target}`,
  (_, target) => `/x/..${target}`,
  (_, target) => `https://copilot${target}`,
  (open, target) => `https://copilot${open}/..${target}`,
  (_, target) => `http://127.0.0.1${target}`,
  (_, target) => `${target}/`,
  (_, target) => `${target};x`,
  (_, target) => `${target}%00`,
  (_, target) => target.toUpperCase(),
  (_, target) => target.replace('s', '%73'),
  (open, target) => `/.well-known/acme-challenge/..${open}/..${target}`,
]
const tricks = openPaths.flatMap(open =>
  targets.flatMap(target => disguises.map(disguise => disguise(open, target))),
)

/** Request smuggling: messages that proxy and server may delimit differently (RFC 9112, 6.3 and 11.2). */
const bearer = `Authorization: Bearer ${key}`
const smuggled = `GET /slots HTTP/1.1\r\nHost: x\r\n${bearer}\r\n\r\n`
const smugglingAttempts = [
  [`Content-Length: ${smuggled.length}`, 'Transfer-Encoding: chunked', '', `0\r\n\r\n${smuggled}`],
  ['Transfer-Encoding: chunked', `Content-Length: 4`, '', `1\r\nx\r\n0\r\n\r\n${smuggled}`],
  ['Transfer-Encoding: xchunked', `Content-Length: 0`, '', smuggled],
  ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity', '', `0\r\n\r\n${smuggled}`],
  ['Transfer-Encoding : chunked', '', `0\r\n\r\n${smuggled}`],
  ['Content-Length: 0', `Content-Length: ${smuggled.length}`, '', smuggled],
  [`Content-Length: +${smuggled.length}`, '', smuggled],
  ['Content-Length: 0', '', smuggled],
]

it(`lets none of ${tricks.length} path tricks through without a key`, { timeout: 120_000 }, async () => {
  const answered = new Set<number>()
  for (const path of tricks) {
    for (const status of await send(requestOf([], path))) answered.add(status)
    // A path that nginx normalises to a public one is public, and is passed on normalised.
    const urls = received.map(({ url }) => url?.split('?')[0])
    expect(
      urls.filter(url => url !== '/health'),
      path,
    ).toEqual([])
  }
  expect([...answered]).toEqual(expect.arrayContaining([200, 401]))
})

it(`lets none of ${tricks.length} path tricks through to llama-server's internal paths, even with the key`, {
  timeout: 120_000,
}, async () => {
  const allowed = new Set(['/health', metricsPath, ...routes.map(({ path }) => path)])
  for (const path of tricks) await send(requestOf([`Authorization: Bearer ${key}`], path))
  const reached = new Set(received.map(({ url }) => url?.split('?')[0] ?? ''))
  // Many of the paths are other spellings of a public one.
  expect([...reached]).toContain('/v1/models')
  expect([...reached].filter(url => !allowed.has(url))).toEqual([])
})

it.each(smugglingAttempts)('passes on no smuggled request: %s, %s', async (...lines) => {
  const body = lines.at(-1)
  const paths = ['/health', '/ca.crt', '/v1/models', '/v1/chat/completions']
  const heads = [[], [bearer, 'Content-Type: application/json']].flatMap(credentials =>
    paths.map(path => [`POST ${path} HTTP/1.1`, 'Host: x', ...credentials, ...lines.slice(0, -1)]),
  )
  // All at once: a connection that nginx keeps open is waited for.
  await Promise.all(heads.map(head => send(Buffer.from(`${head.join('\r\n')}\r\n${body}`))))
  expect(received.map(({ url }) => url).filter(url => !paths.includes(url ?? ''))).toEqual([])
})

it('passes on neither the key nor a conversation ID', async () => {
  const headers = {
    authorization: `Bearer ${key}`,
    'x-api-key': key,
    'x-conversation-id': 'mine',
    'x-forwarded-for': '192.0.2.1',
  }
  await http({
    url: `${edge.url}/v1/chat/completions?beta=true`,
    ca: edge.ca,
    headers,
    json: { messages: [{ role: 'user', content: 'Hi' }] },
    timeout: 10,
  })
  expect(received.map(({ url }) => url)).toEqual(['/v1/chat/completions'])
  expect(JSON.stringify(received[0]?.rawHeaders)).not.toMatch(/only-key|conversation/i)
})
