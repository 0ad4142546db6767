/** Many clients on few slots, each obeying Retry-After as the openai SDK does, until each has its whole answer. */
import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { sentence } from '../../mirror/sentence-model.ts'
import type { Edge } from './stack.ts'
import { generate } from './streams.ts'

/** `slow` reads a few hundred bytes at a time; `disconnects` closes its connection in mid-stream for good. */
type Behaviour = 'steady' | 'slow' | 'disconnects'

export type ClientOutcome = {
  behaviour: Behaviour
  /** It got the text that only it had requested, to the last token. */
  isComplete: boolean
  /** The IDs in its stream's events, which are the same within an answer. */
  ids: string[]
  /** How often it was rejected and retried. */
  retries: number
  /** How often a stream broke off, and was requested again. */
  interruptions: number
  /** Seconds from the first request until the one that was answered completely was admitted. */
  waitSeconds: number
  /** Seconds that it held a slot, in all. */
  slotSeconds: number
}

export type ClientLoad = {
  clients: number
  /** Shared evenly among the clients. */
  keys: string[]
  /** Length of the shortest answer; each client's is one token longer than that of the client before. */
  tokens: number
  /** Called when a client that stays is admitted, with the number admitted so far. */
  onAdmitted?: (count: number) => void
}

/** The text of each token of the sentence; repeated, the sentence begins after a space. */
const sentencePieces = sentence.match(/ ?\w+|\W/g) ?? []

const behaviourOf = (client: number): Behaviour =>
  client % 10 === 3 ? 'disconnects' : client % 25 === 7 ? 'slow' : 'steady'

/** A raw completion that continues the sentence, from a different place for each client. */
const completionFor = (client: number, tokens: number) => {
  const start = 1 + (client % (sentencePieces.length - 1))
  const count = tokens + client
  const endless = Array.from({ length: start + count }, (_, index) => {
    const piece = sentencePieces[index % sentencePieces.length] ?? ''
    return index > 0 && index % sentencePieces.length === 0 ? ` ${piece}` : piece
  })
  const prompt = endless.slice(0, start).join('')
  return {
    request: { prompt, max_tokens: count, ignore_eos: true },
    answer: endless.slice(start).join(''),
  }
}

/** Milliseconds that the openai SDK (7.57, client.ts) waits: Retry-After up to a minute, otherwise its own backoff. */
const retryDelay = (retryAfter: number, retries: number) =>
  retryAfter >= 0 && retryAfter <= 60
    ? retryAfter * 1000
    : Math.min(0.5 * 2 ** retries, 8) * (1 - Math.random() * 0.25) * 1000

async function* slowly(answer: Readable): AsyncIterable<Buffer> {
  for await (const piece of answer as AsyncIterable<Buffer>)
    for (let at = 0; at < piece.length; at += 600) {
      yield piece.subarray(at, at + 600)
      await setTimeout(100)
    }
}

/** Starts all clients at once. Resolves when each has been answered, or has disconnected. */
export const runClients = (edge: Edge, load: ClientLoad): Promise<ClientOutcome[]> => {
  let count = 0
  const onAdmitted = () => {
    count += 1
    load.onAdmitted?.(count)
  }
  return Promise.all(
    Array.from({ length: load.clients }, (_, client) => runClient(edge, load, client, onAdmitted)),
  )
}

async function runClient(
  edge: Edge,
  load: ClientLoad,
  client: number,
  onAdmitted: () => void,
): Promise<ClientOutcome> {
  const behaviour = behaviourOf(client)
  const key = load.keys[client % load.keys.length] ?? ''
  const completion = completionFor(client, load.tokens)
  const read = behaviour === 'slow' ? slowly : undefined
  const begun = performance.now()
  const outcome: ClientOutcome = {
    behaviour,
    isComplete: false,
    ids: [],
    retries: 0,
    interruptions: 0,
    waitSeconds: 0,
    slotSeconds: 0,
  }
  while (true) {
    // No response, because a worker was killed: retry as without a Retry-After header.
    const stream = await generate(edge, key, '/v1/completions', completion.request, read).catch(
      () => undefined,
    )
    if (stream?.status !== 200) {
      if (stream !== undefined && ![429, 503].includes(stream.status)) throw new Error(`${stream.status}`)
      await setTimeout(retryDelay(stream?.retryAfter ?? Number.NaN, outcome.retries))
      outcome.retries += 1
      continue
    }
    if (behaviour !== 'disconnects') onAdmitted()
    const admitted = performance.now()
    outcome.waitSeconds = (admitted - begun) / 1000
    const addSlotTime = () => {
      outcome.slotSeconds += (performance.now() - admitted) / 1000
    }
    if (behaviour === 'disconnects') {
      await stream.untilEvents(10)
      stream.disconnect()
      addSlotTime()
      return outcome
    }
    await stream.ended
    addSlotTime()
    const events = stream.events()
    if (events.at(-1) !== '[DONE]') {
      outcome.interruptions += 1
      continue
    }
    const parts = events.slice(0, -1).map(event => JSON.parse(event))
    outcome.ids = [...new Set<string>(parts.map(({ id }) => id))]
    outcome.isComplete = parts.map(({ choices }) => choices[0]?.text ?? '').join('') === completion.answer
    return outcome
  }
}

export const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** The results of a whole run. */
export const summarize = (all: ClientOutcome[]) => {
  const stayed = all.filter(({ behaviour }) => behaviour !== 'disconnects')
  return {
    served: stayed.filter(({ isComplete }) => isComplete).length,
    interrupted: all.reduce((sum, { interruptions }) => sum + interruptions, 0),
    meanRetries: mean(stayed.map(({ retries }) => retries)),
    mostRetries: Math.max(...stayed.map(({ retries }) => retries)),
    longestWait: Math.max(...stayed.map(({ waitSeconds }) => waitSeconds)),
  }
}
