/**
 * Hides from answers how much of a prompt was cached: they look as if nothing had been. For keys that share a
 * cache, whose holders could otherwise infer from these counts what others have sent. Pure; runs inside
 * nginx.
 */
import { prefixOf } from '../appliance/requests/services.ts'
import { postRoute } from './errors.ts'
import { isObject, type Json, type JsonObject, put, writeJson } from './json.ts'
import { type JsonLimits, parseJson } from './parse-json.ts'

/** Generous, because they apply to llama-server's own answers. */
const limits: JsonLimits = { levels: 10_000, values: 10_000_000, keys: 1_000_000 }

/**
 * Whether there may be a count: one of these keys accompanies each, and inside a string its quotes would be
 * escaped. Called for every token, and njs frees no memory before the answer has ended: therefore no loop.
 */
const mayHaveCounts = (text: Buffer | string): boolean =>
  text.indexOf('"usage":') !== -1 ||
  text.indexOf('"timings') !== -1 ||
  text.indexOf('"prompt_progress":') !== -1 ||
  text.indexOf('"id_slot":') !== -1

const numberAt = (object: JsonObject, key: string): number => {
  const value = object.at[key]
  return typeof value === 'number' ? value : 0
}

/** Sets those of the fields that exist to 0. */
function zero(object: JsonObject, keys: string[]): void {
  for (let i = 0; i < keys.length; i++)
    if (object.at[keys[i] as string] !== undefined) put(object, keys[i] as string, 0)
}

const detailsOf = ['prompt_tokens_details', 'input_tokens_details']

/** OpenAI includes cached tokens in the prompt's; Anthropic counts them separately. */
function hideInUsage(usage: JsonObject): void {
  for (let i = 0; i < detailsOf.length; i++) {
    const details = usage.at[detailsOf[i] as string]
    if (isObject(details)) zero(details, ['cached_tokens'])
  }
  const read = numberAt(usage, 'cache_read_input_tokens')
  if (read > 0) put(usage, 'input_tokens', numberAt(usage, 'input_tokens') + read)
  zero(usage, ['cache_read_input_tokens'])
}

/** The time that a prompt took, compared with its length, reveals how much of it was cached. */
const promptTimes = ['prompt_ms', 'prompt_per_token_ms', 'prompt_per_second']

function hideInTimings(timings: JsonObject): void {
  put(timings, 'prompt_n', numberAt(timings, 'prompt_n') + numberAt(timings, 'cache_n'))
  zero(timings, ['cache_n'].concat(promptTimes))
}

/** Cached tokens count as processed from the start: here progress on the rest is scaled to the whole. */
function hideInProgress(progress: JsonObject): void {
  const total = numberAt(progress, 'total')
  const cached = numberAt(progress, 'cache')
  const done = numberAt(progress, 'processed') - cached
  put(progress, 'processed', total > cached ? Math.round((done / (total - cached)) * total) : total)
  zero(progress, ['cache', 'time_ms'])
}

const flatCounts = ['cache_n', 'prompt_n'].concat(promptTimes)

/** `/infill` can return fields by their path. The slot reveals whose prompt began alike. */
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

/** Hides counts at an object's top level only: everything else is the model's output. */
function hideIn(answer: Json | undefined): void {
  if (!isObject(answer)) return
  hideInFields(answer)
  for (let i = 0; i < hidden.length; i++) {
    const one = hidden[i] as Hidden
    const value = answer.at[one.field]
    if (isObject(value)) one.hide(value)
  }
}

/** An answer's JSON without counts. Invalid JSON is not passed on: it might contain some. */
function withoutCounts(json: string): string {
  if (!mayHaveCounts(json)) return json
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

/** Hides the counts in whole lines of a stream, each JSON after a prefix, or in a whole answer. */
export const hideCounts = (text: string): string =>
  text
    .split('\n')
    .map(line => {
      const start = line.slice(0, prefix.length) === prefix ? prefix.length : 0
      return line.slice(0, start) + withoutCounts(line.slice(start))
    })
    .join('\n')

const lineFeed = 10

const completionPrefix = `${prefixOf('completion')}/`
/** llama-server's path, without the prefix of the completion service. */
const ownPath = (path: string): string =>
  path.indexOf(completionPrefix) === 0 ? path.slice(completionPrefix.length - 1) : path

/** Whether what is answered at a path of the admission proxy is generated: only then does it contain counts. */
export const isGenerated = (path: string): boolean => postRoute(ownPath(path))?.isGeneration === true

/**
 * Splits a piece of an answer into the lines to pass on and an unfinished line, which is held back. `held`:
 * what was held back before; `isLast`: no further piece follows.
 */
export function nextLines(
  held: Buffer[],
  piece: Buffer,
  isLast: boolean,
): { lines: Buffer | string; held: Buffer[] } {
  const isWhole = held.length === 0 && piece[piece.length - 1] === lineFeed
  if (isWhole && !mayHaveCounts(piece)) return { lines: piece, held: held }
  const end = isLast ? piece.length : piece.lastIndexOf(lineFeed) + 1
  if (end === 0 && !isLast) return { lines: '', held: piece.length === 0 ? held : held.concat([piece]) }
  const lines = held.length === 0 ? piece.slice(0, end) : Buffer.concat(held.concat([piece.slice(0, end)]))
  return {
    lines: mayHaveCounts(lines) ? hideCounts(lines.toString()) : lines,
    held: end === piece.length ? [] : [piece.slice(end)],
  }
}
