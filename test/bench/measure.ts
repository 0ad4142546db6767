/** Timing of a stream as its client sees it: the first token, and the gaps between tokens. */
import { readFileSync } from 'node:fs'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Stack } from '../integration/support/stack.ts'

/** Where a request is sent: through nginx and TLS, or directly to llama-server's socket. */
export type Target = 'nginx and TLS' | 'bare socket'

/** `firstToken`: seconds from the start of the connection; `rate`: tokens per second from the first to the last. */
export type Timing = { firstToken: number; rate: number; tokens: number }

export type MeasuredStream = {
  /** Resolves when the first token has arrived. */
  begun: Promise<void>
  ended: Promise<Timing>
  /** Arrival times of the tokens, in milliseconds. */
  arrivals: number[]
  leave(): void
}

const isToken = (line: string) => line.startsWith('data: {') && line.includes('"content":"')

/** Sends a chat on a connection of its own, and measures its stream. */
export function stream(stack: Stack, target: Target, json: object): MeasuredStream {
  const start = performance.now()
  const arrivals: number[] = []
  let sent: ClientRequest | undefined
  let begin = () => {}
  const begun = new Promise<void>(resolve => {
    begin = resolve
  })
  const ended = new Promise<Timing>((resolve, reject) => {
    sent = open(stack, target, response => {
      if (response.statusCode !== 200) reject(new Error(`${target}: status ${response.statusCode}`))
      let rest = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        const now = performance.now()
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) if (isToken(line)) arrivals.push(now)
        if (arrivals.length > 0) begin()
      })
      response.on('error', reject)
      response.on('end', () => resolve(timing(start, arrivals)))
    })
    sent.on('error', reject)
    sent.end(JSON.stringify({ stream: true, cache_prompt: false, ...json }))
  })
  return { begun, ended, arrivals, leave: () => sent?.destroy() }
}

function open(stack: Stack, target: Target, onAnswer: (response: IncomingMessage) => void): ClientRequest {
  const options = {
    path: '/v1/chat/completions',
    method: 'POST',
    agent: false as const,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${stack.key}` },
  }
  return target === 'bare socket'
    ? httpRequest({ ...options, socketPath: stack.socket }, onAnswer)
    : httpsRequest({ ...options, host: '127.0.0.1', port: stack.httpsPort, ca: stack.ca }, onAnswer)
}

function timing(start: number, arrivals: number[]): Timing {
  const [first = Number.NaN] = arrivals
  const last = arrivals.at(-1) ?? Number.NaN
  return {
    firstToken: (first - start) / 1000,
    rate: ((arrivals.length - 1) / (last - first)) * 1000,
    tokens: arrivals.length,
  }
}

let prompts = 0

/** A prompt of about this many tokens that starts differently from all others. */
export function promptOf(tokens: number): { role: 'user'; content: string }[] {
  prompts += 1
  return [{ role: 'user', content: `${prompts} ${'word '.repeat(tokens)}` }]
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** Resident anonymous memory in MiB, see proc_pid_status(5). */
export const anonymousMiB = (pid: number | undefined): number =>
  Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
