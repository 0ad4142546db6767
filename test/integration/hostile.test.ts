/** Thousands of malformed keys and hundreds of path tricks: none is let in, none reaches llama-server. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect } from 'node:tls'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { openPaths, routes } from '../../lib/appliance/requests/api.ts'
import { http } from '../../lib/system/http.ts'
import { type Edge, startEdge } from './stack.ts'

const key = 'The-only-key_which/opens+this~door'
const alice = 'alices-own-key-0123'
const basic = (credentials: string | Buffer) => `Basic ${Buffer.from(credentials).toString('base64')}`
const good = [`Bearer ${key}`, basic(`copilot:${key}`), `Bearer ${alice}`, basic(`alice:${alice}`)]

let edge: Edge
/** Stands where llama-server would, and keeps what comes through. */
let behind: Server
let through: IncomingMessage[] = []

beforeAll(async () => {
  edge = await startEdge({ ONEAPP_COPILOT_PASSWORD: key, ONEAPP_COPILOT_KEYS: `alice=${alice}` })
  behind = createServer((request, response) => {
    through.push(request)
    request.resume().on('end', () => response.end('{}'))
  })
  await new Promise<void>(resolve => behind.listen(edge.socket, resolve))
})
afterAll(async () => {
  behind.closeAllConnections()
  behind.close()
  await edge.close()
})
beforeEach(() => {
  through = []
})

/** Numbers in [0, below), the same ones in every run. */
function numbers(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Addresses of this machine, another each time: failures from one are soon answered before they are looked at. */
let asked = 0
const nextAddress = () => {
  asked += 1
  return `127.${1 + (asked >> 16)}.${(asked >> 8) & 255}.${1 + (asked & 127)}`
}

/** Sends bytes over TLS and gives the status of each answer; none where the connection is just closed. */
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

type Spoil = (value: string, random: (below: number) => number) => (string | Buffer)[]
const header = (value: string) => [`Authorization: ${value}`]
const at = (value: string, index: number, replacement: string) =>
  value.slice(0, index) + replacement + value.slice(index + 1)
const letterCase = (character: string) =>
  character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase()

/** Ways to get a key wrong. Each gives header lines; none of them holds a good header value by itself. */
const spoils: Record<string, Spoil> = {
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
  'Base64 that is no UTF-8': (_, random) =>
    header(basic(Buffer.from([0xff, 0xfe, random(256), 0x3a, random(256)]))),
  'Base64 of another user': (_, random) =>
    header(basic(`${['root', 'admin', '', 'Copilot', 'copilot '][random(5)]}:${key}`)),
  'Base64 without a colon': () => header(basic(`copilot${key}`)),
  'folded over two lines': value => [`Authorization: ${value.slice(0, 12)}`, ` ${value.slice(12)}`],
  'a tab for the space': value => header(value.replace(' ', '\t')),
  'another header': (value, random) => [
    `${['X-Authorization', 'Proxy-Authorization', 'Authorization_', 'Cookie'][random(4)]}: ${value}`,
  ],
  'x-api-key with a scheme': value => [`x-api-key: ${value}`],
  'x-api-key spoiled': (_, random) => [`x-api-key: ${at(key, random(key.length), '\x7f')}`],
  'the name alone': (_, random) => [`x-api-key: ${['alice', 'copilot', 'default'][random(3)]}`],
}

it('lets in no malformed authorisation of 5000', { timeout: 600_000 }, async () => {
  const random = numbers(7)
  const kinds = Object.entries(spoils)
  const statuses = new Map<number, number>()
  for (let batch = 0; batch < 5000; batch += 50) {
    const tries = Array.from({ length: 50 }, (_, index) => {
      const [kind, spoil] = kinds[(batch + index) % kinds.length] as [string, Spoil]
      return { kind, lines: spoil(good[random(good.length)] as string, random) }
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
  expect(through.map(({ headers }) => headers)).toEqual([])
  for (const authorization of good)
    expect(
      (await http({ url: `${edge.url}/v1/models`, ca: edge.ca, headers: { authorization }, timeout: 10 }))
        .status,
    ).toBe(200)
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

/** Requests that a front and a back could cut in different places (RFC 9112, 6.3 and 11.2). */
const hidden = `GET /slots HTTP/1.1\r\nHost: x\r\n\r\n`
const smuggles = [
  [`Content-Length: ${hidden.length}`, 'Transfer-Encoding: chunked', '', `0\r\n\r\n${hidden}`],
  ['Transfer-Encoding: chunked', `Content-Length: 4`, '', `1\r\nx\r\n0\r\n\r\n${hidden}`],
  ['Transfer-Encoding: xchunked', `Content-Length: 0`, '', hidden],
  ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity', '', `0\r\n\r\n${hidden}`],
  ['Transfer-Encoding : chunked', '', `0\r\n\r\n${hidden}`],
  ['Content-Length: 0', `Content-Length: ${hidden.length}`, '', hidden],
  [`Content-Length: +${hidden.length}`, '', hidden],
  ['Content-Length: 0', '', hidden],
]

it(`lets no path trick of ${tricks.length} through without a key`, { timeout: 120_000 }, async () => {
  expect(tricks.length).toBeGreaterThanOrEqual(500)
  for (const path of tricks) {
    await send(requestOf([], path))
    // What nginx reads as an open path is one, however it was written: its own text goes on, not the client's.
    const urls = through.map(({ url }) => url?.split('?')[0])
    expect(
      urls.filter(url => url !== '/health'),
      path,
    ).toEqual([])
  }
})

it(`lets no path trick of ${tricks.length} through to what is not for clients, even with the key`, {
  timeout: 120_000,
}, async () => {
  const allowed = new Set(['/health', ...routes.map(({ path }) => path)])
  for (const path of tricks) await send(requestOf([`Authorization: Bearer ${key}`], path))
  expect(through.map(({ url }) => url?.split('?')[0] ?? '').filter(url => !allowed.has(url))).toEqual([])
})

it.each(smuggles)('hides no request behind another: %s, %s', async (...lines) => {
  const body = lines.at(-1)
  for (const path of ['/health', '/ca.crt', '/v1/models'])
    await send(
      Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\n${lines.slice(0, -1).join('\r\n')}\r\n${body}`),
    )
  expect(through.map(({ url }) => url).filter(url => url !== '/health')).toEqual([])
})

it('passes on neither the key nor a name for replays', async () => {
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
  expect(through.map(({ url }) => url)).toEqual(['/v1/chat/completions'])
  expect(JSON.stringify(through[0]?.rawHeaders)).not.toMatch(/only-key|conversation/i)
})
