/** What a client without a key cannot do: have a body read, have anything written to disk, lock others out. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionRate } from '../../lib/appliance/nginx/limits.ts'
import { landingPageFile } from '../../lib/appliance/paths.ts'
import { largestBody } from '../../lib/appliance/requests/size.ts'
import { connectionLimitText } from '../../lib/render/nginx/connection-limit.ts'
import { http } from '../../lib/system/http.ts'
import { parseResponses, sendRaw } from './support/raw-requests.ts'
import { type Edge, startEdge } from './support/stack.ts'
import { type StandIn, startStandIn } from './support/stand-in-llama.ts'

const key = 'The-only-key_which/opens+this~door'
const bearer = { authorization: `Bearer ${key}` }
const question = { messages: [{ role: 'user', content: 'Hi' }] }

let edge: Edge
let standIn: StandIn
/** Requests that reached llama-server. */
let received: { url: string | undefined; bytes: number }[] = []
beforeAll(async () => {
  edge = await startEdge({ ONEAPP_COPILOT_PASSWORD: key, ONEAPP_COPILOT_CONTEXT_SIZE: '262144' })
  standIn = await startStandIn(edge, (request, response, body) => {
    received.push({ url: request.url, bytes: body.length })
    response.end(
      JSON.stringify({ text: request.url?.startsWith('/v1/completions') ? 'x'.repeat(16 << 20) : '' }),
    )
  })
})
afterAll(async () => {
  await standIn?.stop()
  await edge?.close()
})

const ask = (path: string, json?: object, timeout = 30) =>
  http({ url: `${edge.url}${path}`, ca: edge.ca, headers: bearer, json, timeout })
const expectGoodRequestToPass = async () =>
  expect((await ask('/v1/chat/completions', question)).status).toBe(200)

/** Memory of nginx's processes, in MiB. */
const residentMiB = () =>
  edge
    .workers()
    .map(pid => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)
    .reduce((sum, one) => sum + one, 0)

/** What a descriptor stands for; null once it is closed. */
function openFile(link: string): string | null {
  try {
    return readlinkSync(link)
  } catch {
    return null
  }
}

/** Open files of nginx's workers in the folder for request bodies; nginx unlinks such files at once. */
const bodyFiles = () =>
  edge
    .workers()
    .flatMap(pid => readdirSync(`/proc/${pid}/fd`).map(fd => openFile(`/proc/${pid}/fd/${fd}`)))
    .filter(file => file !== null)
    .filter(file => file.startsWith(join(edge.root, 'run/bodies')))

const address = (() => {
  let last = 0
  return () => {
    last += 1
    return `127.0.6.${last}`
  }
})()

/** Sends an endless body as fast as possible; resolves with its size and the responses once the connection ends. */
const pour = (head: string, localAddress: string) =>
  new Promise<{ megabytes: number; seconds: number; answered: number; statuses: number[] }>(resolve => {
    const piece = Buffer.alloc(64 << 10, 'x')
    const chunk = Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
    const next = head.includes('chunked') ? chunk : piece
    const start = performance.now()
    let [taken, received, answered] = [0, '', Number.NaN]
    const options = { host: '127.0.0.1', port: edge.httpsPort, ca: edge.ca, localAddress }
    const socket = connect(options, () => {
      socket.write(head)
      const more = () => {
        while (!socket.destroyed && socket.write(next, error => (taken += error ? 0 : next.length)))
          if (socket.writableLength > 1 << 20) break
      }
      socket.on('drain', more)
      more()
    })
    socket.setEncoding('latin1').on('data', text => {
      if (received === '') answered = performance.now() - start
      received += text
    })
    socket
      .on('error', () => {})
      .on('close', () =>
        resolve({
          megabytes: taken / 1e6,
          seconds: (performance.now() - start) / 1000,
          answered,
          statuses: parseResponses(received).map(({ status }) => status),
        }),
      )
  })

describe('an unexpected request body', () => {
  const length = 'Content-Length: 99999999999'
  const chunked = 'Transfer-Encoding: chunked'
  it.each([
    ['without a key', 'POST /v1/chat/completions', length, 401],
    ['without a key, in chunks', 'POST /v1/chat/completions', chunked, 401],
    ['without a key, with Expect', 'POST /v1/chat/completions', `${length}\r\nExpect: 100-continue`, 401],
    ['with a wrong key', 'POST /v1/messages', `${length}\r\nx-api-key: wrong-wrong-wrong`, 401],
    ['to an unknown path', 'PUT /nothing', chunked, 401],
    ['to health', 'POST /health', length, 413],
    ['to health, in chunks', 'POST /health', chunked, 405],
    ['to health, by GET', 'GET /health', length, 413],
    ['to health, by GET, in chunks', 'GET /health', chunked, 413],
    ['to the page', 'POST /', chunked, 405],
    ['to the CA', 'PUT /ca.crt', chunked, 405],
    ['of a preflight', 'OPTIONS /v1/models', chunked, 204],
  ])('%s, is refused at once, and discarded for a few seconds only', async (_, line, headers, status) => {
    const before = residentMiB()
    const poured = pour(`${line} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`, address())
    await setTimeout(1500)
    await expectGoodRequestToPass()
    expect(residentMiB() - before).toBeLessThan(16)
    expect(bodyFiles()).toEqual([])
    const { megabytes, seconds, answered, statuses } = await poured
    expect(statuses.at(-1)).toBe(status)
    expect(answered).toBeLessThan(1500)
    expect(seconds).toBeLessThan(12)
    console.log(
      `${megabytes.toFixed(0)} MB in ${seconds.toFixed(1)} s, answered after ${answered.toFixed(0)} ms`,
    )
  })

  it('ends with its stream over HTTP/2', async () => {
    const session = connectHttp2(edge.url, { ca: edge.ca, localAddress: address() } as object)
    const sent = session.request({ ':method': 'POST', ':path': '/v1/chat/completions' }, { endStream: false })
    const status = new Promise(resolve => sent.on('response', headers => resolve(headers[':status'])))
    sent.on('error', () => {}).resume()
    let taken = 0
    const piece = Buffer.alloc(16 << 10, 'x')
    const more = () =>
      sent.destroyed ||
      sent.write(piece, error => {
        taken += error ? 0 : piece.length
        if (!error) more()
      })
    more()
    expect(await status).toBe(401)
    await new Promise(resolve => sent.on('close', resolve))
    session.destroy()
    expect(taken).toBeLessThan(1 << 20)
    await expectGoodRequestToPass()
  })

  it('never reaches llama-server', async () => {
    received = []
    await sendRaw(
      edge,
      `GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`,
    )
    expect(received).toEqual([{ url: '/health', bytes: 0 }])
  })
})

it('writes nothing of the largest request and answer to disk', async () => {
  const limit = largestBody({ contextSize: 262_144, memoryLimit: totalmem() })
  const content = 'word '.repeat(Math.floor((limit - 100) / 5))
  const log = join(edge.root, 'run/opened')
  const pids = [...edge.workers(), ...edge.admissionWorkers()].flatMap(pid => ['-p', String(pid)])
  const tracer = spawn(
    'strace',
    ['-f', '-qq', '-o', log, '-e', 'trace=openat,open,creat,mkdir,mkdirat,unlink,rename', ...pids],
    { stdio: 'ignore' },
  )
  await setTimeout(1000)
  const answer = await ask('/v1/completions', { prompt: content }, 120)
  expect([answer.status, answer.body.length > 16 << 20]).toEqual([200, true])
  const chunk = (text: string) => [...text].map(one => `1\r\n${one}\r\n`).join('')
  // Each byte in a chunk of its own, which takes six bytes.
  const small = JSON.stringify({ prompt: 'word '.repeat(120_000) })
  const head = `POST /v1/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: Bearer ${key}\r\nTransfer-Encoding: chunked\r\n\r\n`
  const [chunked] = await sendRaw(edge, `${head}${chunk(small)}0\r\n\r\n`)
  expect(chunked?.status).toBe(200)
  // Proves that the trace works: nginx opens the landing page's file.
  expect((await ask('/')).status).toBe(200)
  tracer.kill('SIGINT')
  await new Promise(resolve => tracer.on('close', resolve))
  const traced = readFileSync(log, 'utf8')
  expect(traced).toContain(landingPageFile)
  const created = traced.split('\n').filter(line => /O_CREAT|creat\(|mkdir|rename/.test(line))
  expect(created).toEqual([])
})

describe('over HTTP/1.1, whoever goes on regardless needs a connection for each request', () => {
  const request = (line: string, ...headers: string[]) =>
    [`${line} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n')
  const authorization = `Authorization: Bearer ${key}`

  it.each([
    ['no key', 401, 'GET /v1/models', []],
    ['a wrong key', 401, 'GET /v1/models', ['Authorization: Bearer wrong']],
    ['a preflight', 204, 'OPTIONS /v1/models', []],
    ['an unknown path', 404, 'GET /nothing', [authorization]],
    ['a method that the path does not take', 405, 'PUT /v1/models', [authorization, 'Content-Length: 0']],
    ['a body that is not JSON', 415, 'POST /v1/completions', [authorization, 'Content-Length: 0']],
    ['too large a body', 413, 'GET /health', ['Content-Length: 5000']],
    ['a malformed request', 400, 'GET /v1/models', ['Content-Length: x']],
  ])('%s: %i, and the end of the connection', async (_, status, line, headers) => {
    const answers = await sendRaw(edge, request(line, ...headers).repeat(3))
    expect(answers.map(answer => [answer.status, answer.headers.connection])).toEqual([[status, 'close']])
  })

  it('a redirect on port 80, too', async () => {
    let received = ''
    const socket = connectTcp(Number(new URL(edge.httpUrl).port), '127.0.0.1')
    socket.on('data', text => {
      received += text
    })
    socket.write(request('GET /').repeat(3))
    await once(socket, 'close')
    expect(received.match(/^HTTP.*$/gm)).toEqual(['HTTP/1.1 308 Permanent Redirect'])
  })

  it('what succeeds leaves the connection open', async () => {
    const one = request('GET /v1/models', authorization)
    const last = request('GET /v1/models', authorization, 'Connection: close')
    const answers = await sendRaw(edge, one + one + last)
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  })
})

describe('connections that send an incomplete header', () => {
  /** Opens this many, from these addresses, and holds them. */
  const openHalf = async (count: number, from: string[], port = edge.httpsPort) => {
    const sockets: Socket[] = []
    for (let index = 0; index < count; index += 1) {
      const socket = connectTcp({
        host: '127.0.0.1',
        port,
        localAddress: from[index % from.length] as string,
      })
      socket.on('error', () => {}).on('connect', () => socket.write('\x16\x03\x01'))
      sockets.push(socket)
      if (index % 200 === 199) await setTimeout(20)
    }
    return sockets
  }
  const isOpen = (socket: Socket) => !socket.destroyed && !socket.connecting
  /** Sends valid requests one after the other; resolves with the duration of the slowest, in seconds. */
  const slowestOf = async (count: number) => {
    let slowest = 0
    for (let index = 0; index < count; index += 1) {
      const start = performance.now()
      await expectGoodRequestToPass()
      slowest = Math.max(slowest, (performance.now() - start) / 1000)
    }
    return slowest
  }

  it('by the thousand, from a few addresses, lock nobody out, and are closed', {
    timeout: 120_000,
  }, async () => {
    const before = residentMiB()
    const sockets = await openHalf(6000, ['127.0.5.1', '127.0.5.2', '127.0.5.3', '127.0.5.4'])
    await expect.poll(() => sockets.filter(isOpen).length, { timeout: 20_000 }).toBeGreaterThan(4000)
    const held = sockets.filter(isOpen).length
    const memory = residentMiB() - before
    const slowest = await slowestOf(20)
    console.log(
      `${held} half-open connections, ${memory.toFixed(0)} MiB for them; the slowest of 20 requests took ${slowest.toFixed(2)} s`,
    )
    expect(slowest).toBeLessThan(5)
    await expect.poll(() => sockets.filter(isOpen).length, { timeout: 60_000 }).toBe(0)
    for (const socket of sockets) socket.destroy()
  })

  it('from one address are throttled by the kernel, without affecting other addresses', {
    timeout: 120_000,
  }, async () => {
    const table = `slm_copilot_test_${edge.httpsPort}`
    execFileSync('nft', ['-f', '-'], { input: connectionLimitText(table, [edge.httpsPort]) })
    try {
      const start = performance.now()
      const sockets = await openHalf(4000, ['127.0.4.1'])
      const slowest = await slowestOf(10)
      const seconds = (performance.now() - start) / 1000
      const open = sockets.filter(isOpen).length
      console.log(
        `${open} of 4000 connections of one address were accepted after ${seconds.toFixed(1)} s; the slowest of 10 requests from another took ${slowest.toFixed(2)} s`,
      )
      expect(open).toBeLessThan(connectionRate.burst + connectionRate.perSecond * (seconds + 1) + 100)
      expect(open).toBeGreaterThan(connectionRate.burst / 2)
      expect(slowest).toBeLessThan(3)
      for (const socket of sockets) socket.destroy()
    } finally {
      execFileSync('nft', ['delete', 'table', 'inet', table])
    }
  })
})
