/** Many clients on few slots, each obeying Retry-After as the openai SDK does, until each has its whole answer. */
import type { IncomingMessage } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { sentence } from '../mirror/sentence-model.ts'
import { generate } from './generation.ts'
import type { Edge } from './stack.ts'

/** `slow` reads a few hundred bytes at a time; `leaves` goes away in mid-stream, and does not come again. */
type Manner = 'steady' | 'slow' | 'leaves'

export type Served = {
  manner: Manner
  /** The text is the one that this client alone has asked for, to its last token. */
  isOwnAndWhole: boolean
  /** Under which its stream came; another for each answer. */
  ids: string[]
  /** Times that it was told to come again. */
  retries: number
  /** Times that a stream was cut, and asked for anew. */
  cuts: number
  /** Seconds from the first request until it was let in for its whole answer. */
  waited: number
  /** Seconds that it had a slot, in all. */
  held: number
}

export type Crowd = {
  clients: number
  /** They share them evenly. */
  keys: string[]
  /** Of the shortest answer; each client's is longer by one than that of the client before. */
  tokens: number
  /** Called when one that stays is let in, with the number of all that were. */
  onAdmitted?: (count: number) => void
}

/** What each token of the sentence says; said again, it begins after a space. */
const sentencePieces = sentence.match(/ ?\w+|\W/g) ?? []

const mannerOf = (client: number): Manner =>
  client % 10 === 3 ? 'leaves' : client % 25 === 7 ? 'slow' : 'steady'

/** Raw completions: the prompt ends inside the sentence at a place of the client's own, and the answer goes on there. */
const wishOf = (client: number, tokens: number) => {
  const start = 1 + (client % (sentencePieces.length - 1))
  const count = tokens + client
  const endless = Array.from({ length: start + count }, (_, index) => {
    const piece = sentencePieces[index % sentencePieces.length] ?? ''
    return index > 0 && index % sentencePieces.length === 0 ? ` ${piece}` : piece
  })
  const prompt = endless.slice(0, start).join('')
  return {
    json: { prompt, max_tokens: count, ignore_eos: true },
    answer: endless.slice(start).join(''),
  }
}

/** Milliseconds that the openai SDK (7.57, client.ts) waits: what the header says up to a minute, else its own choice. */
const patience = (retryAfter: number, retries: number) =>
  retryAfter >= 0 && retryAfter <= 60
    ? retryAfter * 1000
    : Math.min(0.5 * 2 ** retries, 8) * (1 - Math.random() * 0.25) * 1000

async function* slowly(answer: IncomingMessage): AsyncIterable<Buffer> {
  for await (const piece of answer as AsyncIterable<Buffer>)
    for (let at = 0; at < piece.length; at += 600) {
      yield piece.subarray(at, at + 600)
      await setTimeout(100)
    }
}

/** Lets them all come at once. Resolves when each has been served, or has left. */
export const serveCrowd = (edge: Edge, crowd: Crowd): Promise<Served[]> => {
  let count = 0
  const onAdmitted = () => {
    count += 1
    crowd.onAdmitted?.(count)
  }
  return Promise.all(
    Array.from({ length: crowd.clients }, (_, client) => serve(edge, crowd, client, onAdmitted)),
  )
}

async function serve(edge: Edge, crowd: Crowd, client: number, onAdmitted: () => void): Promise<Served> {
  const manner = mannerOf(client)
  const key = crowd.keys[client % crowd.keys.length] ?? ''
  const wish = wishOf(client, crowd.tokens)
  const read = manner === 'slow' ? slowly : undefined
  const begun = performance.now()
  const served: Served = { manner, isOwnAndWhole: false, ids: [], retries: 0, cuts: 0, waited: 0, held: 0 }
  while (true) {
    // No answer at all, since a worker was killed: as if there were no header.
    const stream = await generate(edge, key, '/v1/completions', wish.json, read).catch(() => undefined)
    if (stream?.status !== 200) {
      if (stream !== undefined && ![429, 503].includes(stream.status)) throw new Error(`${stream.status}`)
      await setTimeout(patience(stream?.retryAfter ?? Number.NaN, served.retries))
      served.retries += 1
      continue
    }
    if (manner !== 'leaves') onAdmitted()
    const admitted = performance.now()
    served.waited = (admitted - begun) / 1000
    const hold = () => {
      served.held += (performance.now() - admitted) / 1000
    }
    if (manner === 'leaves') {
      await stream.until(10)
      stream.leave()
      hold()
      return served
    }
    await stream.ended
    hold()
    const events = stream.events()
    if (events.at(-1) !== '[DONE]') {
      served.cuts += 1
      continue
    }
    const parts = events.slice(0, -1).map(event => JSON.parse(event))
    served.ids = [...new Set<string>(parts.map(({ id }) => id))]
    served.isOwnAndWhole = parts.map(({ choices }) => choices[0]?.text ?? '').join('') === wish.answer
    return served
  }
}

export const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** What is told of a crowd. */
export const summaryOf = (all: Served[]) => {
  const stayed = all.filter(({ manner }) => manner !== 'leaves')
  return {
    served: stayed.filter(({ isOwnAndWhole }) => isOwnAndWhole).length,
    cut: all.reduce((sum, { cuts }) => sum + cuts, 0),
    meanRetries: mean(stayed.map(({ retries }) => retries)),
    mostRetries: Math.max(...stayed.map(({ retries }) => retries)),
    longestWait: Math.max(...stayed.map(({ waited }) => waited)),
  }
}
