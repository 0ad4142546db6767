/**
 * Answers that do not say how much of a prompt was cached: as if nothing had been. For keys that share a cache, whose
 * owners could else read from these counts what others have sent. Pure; runs inside nginx.
 */
import { isObject, type Json, type JsonObject, put, writeJson } from './json.ts'
import { type JsonLimits, parseJson } from './parse-json.ts'

/** llama-server's own answers: as large as they come. */
const limits: JsonLimits = { levels: 10_000, values: 10_000_000, keys: 1_000_000 }

/**
 * Whether there may be a count: these stand beside every one, and inside a string their quotes would be escaped. Asked of every
 * token, and what nginx's JavaScript takes for that is held until the answer has ended: so no loop.
 */
const hasMark = (text: Buffer | string): boolean =>
  text.indexOf('"usage":') !== -1 ||
  text.indexOf('"timings') !== -1 ||
  text.indexOf('"prompt_progress":') !== -1 ||
  text.indexOf('"id_slot":') !== -1

const numberAt = (object: JsonObject, key: string): number => {
  const value = object.at[key]
  return typeof value === 'number' ? value : 0
}

/** Sets those of the fields that are there. */
function zero(object: JsonObject, keys: string[]): void {
  for (let i = 0; i < keys.length; i++)
    if (object.at[keys[i] as string] !== undefined) put(object, keys[i] as string, 0)
}

const detailsOf = ['prompt_tokens_details', 'input_tokens_details']

/** OpenAI counts cached tokens among those of the prompt; Anthropic beside them. */
function hideInUsage(usage: JsonObject): void {
  for (let i = 0; i < detailsOf.length; i++) {
    const details = usage.at[detailsOf[i] as string]
    if (isObject(details)) zero(details, ['cached_tokens'])
  }
  const read = numberAt(usage, 'cache_read_input_tokens')
  if (read > 0) put(usage, 'input_tokens', numberAt(usage, 'input_tokens') + read)
  zero(usage, ['cache_read_input_tokens'])
}

/** The time that the prompt took tells what its length does not. */
const promptTimes = ['prompt_ms', 'prompt_per_token_ms', 'prompt_per_second']

function hideInTimings(timings: JsonObject): void {
  put(timings, 'prompt_n', numberAt(timings, 'prompt_n') + numberAt(timings, 'cache_n'))
  zero(timings, ['cache_n'].concat(promptTimes))
}

/** What was cached counts as processed from the start: here the share of the rest that is processed counts of the whole. */
function hideInProgress(progress: JsonObject): void {
  const total = numberAt(progress, 'total')
  const cached = numberAt(progress, 'cache')
  const done = numberAt(progress, 'processed') - cached
  put(progress, 'processed', total > cached ? Math.round((done / (total - cached)) * total) : total)
  zero(progress, ['cache', 'time_ms'])
}

const flatCounts = ['cache_n', 'prompt_n'].concat(promptTimes)

/** `/infill` gives fields by their path where it is asked to. Which slot was taken tells whose prompt began alike. */
function hideInFields(answer: JsonObject): void {
  zero(answer, ['id_slot'])
  zero(
    answer,
    flatCounts.map(name => `timings/${name}`),
  )
}

type Hidden = { field: string; hide: (object: JsonObject) => void }
const hidden: Hidden[] = [
  { field: 'usage', hide: hideInUsage },
  { field: 'timings', hide: hideInTimings },
  { field: 'prompt_progress', hide: hideInProgress },
]

/** In an answer, and in the message or response that an event holds. Nowhere else: the rest is the model's words. */
function hideIn(answer: Json | undefined): void {
  if (!isObject(answer)) return
  hideInFields(answer)
  for (let i = 0; i < hidden.length; i++) {
    const one = hidden[i] as Hidden
    const value = answer.at[one.field]
    if (isObject(value)) one.hide(value)
  }
}

/** An answer's JSON without counts. What cannot be read is not passed on: it might hold some. */
function withoutCounts(json: string): string {
  if (!hasMark(json)) return json
  const parsed = parseJson(json, limits)
  if ('problem' in parsed) return '{}'
  hideIn(parsed.value)
  if (isObject(parsed.value)) {
    hideIn(parsed.value.at.message)
    hideIn(parsed.value.at.response)
  }
  return writeJson(parsed.value)
}

const prefix = 'data: '

/** Whole lines of a stream, or a whole answer: each is JSON, after its prefix. */
export const hideCounts = (text: string): string =>
  text
    .split('\n')
    .map(line => {
      const start = line.slice(0, prefix.length) === prefix ? prefix.length : 0
      return line.slice(0, start) + withoutCounts(line.slice(start))
    })
    .join('\n')

const lineFeed = 10

/**
 * What can be passed on of a piece of an answer, and what must wait for the end of its line. `held`: what waited before;
 * `isLast`: there is no further piece.
 */
export function nextLines(
  held: Buffer[],
  piece: Buffer,
  isLast: boolean,
): { lines: Buffer | string; held: Buffer[] } {
  const isWhole = held.length === 0 && piece[piece.length - 1] === lineFeed
  if (isWhole && !hasMark(piece)) return { lines: piece, held: held }
  const end = isLast ? piece.length : piece.lastIndexOf(lineFeed) + 1
  if (end === 0 && !isLast) return { lines: '', held: piece.length === 0 ? held : held.concat([piece]) }
  const lines = held.length === 0 ? piece.slice(0, end) : Buffer.concat(held.concat([piece.slice(0, end)]))
  return {
    lines: hasMark(lines) ? hideCounts(lines.toString()) : lines,
    held: end === piece.length ? [] : [piece.slice(end)],
  }
}
