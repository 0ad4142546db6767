/** Whatever a client with a key sends, llama-server and nginx survive, errors are explained, and nothing leaks. */
import { request } from 'node:https'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { http } from '../../lib/system/http.ts'
import { readCall } from '../mirror/tool-model.ts'
import { type GeneratedRequest, generatedRequests } from './support/request-generators.ts'
import { type Stack, startStack } from './support/stack.ts'

const seconds = Number(process.env.FUZZ_SECONDS ?? 40)
const seed = Number(process.env.FUZZ_SEED ?? 1)
/** The maximum duration of an answer in seconds, on a machine that is busy with other tests. */
const answerTimeout = 30
const keys = { alice: 'alice-has-this-key', bob: 'bob-has-another-key' }
const canary = 'heliotrope-canary-of-bob'
const known = [200, 400, 404, 413, 415, 431, 501]

type FuzzAnswer = { status: number; body: string }

/** Sends raw bytes with alice's key. */
const send = (stack: Stack, { path, headers, body }: GeneratedRequest): Promise<FuzzAnswer> =>
  new Promise((resolve, reject) => {
    const sent = request(
      `${stack.url}${path}`,
      {
        method: 'POST',
        ca: stack.ca,
        agent: false,
        headers: { authorization: `Bearer ${keys.alice}`, ...headers },
        signal: AbortSignal.timeout(answerTimeout * 1000),
      },
      answer => {
        const pieces: Buffer[] = []
        answer.on('data', (piece: Buffer) => pieces.push(piece))
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(pieces).toString() }),
        )
        answer.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })

/** A valid request with another key, which leaves the canary in a slot. */
async function ask(stack: Stack): Promise<void> {
  const { status, body } = await http({
    url: `${stack.url}/v1/chat/completions`,
    ca: stack.ca,
    headers: { authorization: `Bearer ${keys.bob}` },
    json: { messages: [{ role: 'user', content: `${canary} `.repeat(20) }], max_tokens: 3 },
    timeout: answerTimeout,
  })
  expect(status, body).toBe(200)
}

/** Why a client should not have got this answer; undefined if it is fine. */
function fault({ status, body }: FuzzAnswer): string | undefined {
  if (!known.includes(status)) return `status ${status}`
  if (body.includes(canary)) return "another's words"
  if (status === 200) return undefined
  try {
    const { error } = JSON.parse(body)
    return typeof error.message === 'string' && error.message !== '' ? undefined : 'an error without words'
  } catch {
    return 'an error that is not JSON'
  }
}

it(
  `${seconds} s of requests that obey or violate the table (FUZZ_SECONDS, FUZZ_SEED=${seed})`,
  async () => {
    const stack = await startStack(
      {
        ONEAPP_COPILOT_KEYS: Object.entries(keys)
          .map(pair => pair.join('='))
          .join(' '),
        ONEAPP_COPILOT_CONTEXT_SIZE: '4096',
      },
      { call: readCall },
    )
    const counts: Record<string, Record<string, number>> = {}
    let sent = 0
    try {
      const llama = stack.llamaPid()
      const nginx = stack.workers().join()
      const oneByOne = fc.asyncProperty(generatedRequests, async request => {
        if (sent % 20 === 0) await ask(stack)
        sent += 1
        const answer = await send(stack, request)
        const name = `${request.path}, ${request.kind}`
        const row = counts[name] ?? {}
        counts[name] = row
        row[answer.status] = (row[answer.status] ?? 0) + 1
        expect(
          fault(answer),
          `${request.body.toString().slice(0, 2000)}
${answer.body.slice(0, 500)}`,
        ).toBeUndefined()
        expect(stack.llamaOutput()).not.toMatch(/heliotrope|hello\.py/)
        expect(stack.llamaRuns() && stack.llamaPid() === llama && stack.workers().join() === nginx).toBe(true)
      })
      await fc.assert(oneByOne, {
        seed,
        numRuns: 1_000_000,
        interruptAfterTimeLimit: seconds * 1000,
        endOnFailure: true,
      })
      await ask(stack)
    } finally {
      console.log(`${sent} requests, seed ${seed}`)
      console.table(counts)
      await stack.close()
    }
  },
  (seconds + 120) * 1000,
)
