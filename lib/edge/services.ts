/** Which model service a request is for, and its prompt for a model that fills gaps. Runs inside nginx. */
import type { EdgeCompanion, EdgeSettings } from '../appliance/requests/edge-settings.ts'
import { completionLength, type ServiceKind } from '../appliance/requests/services.ts'
import type { FieldProblem } from './check.ts'
import { postRoute } from './errors.ts'
import { isList, isObject, type JsonObject, object, put, remove } from './json.ts'

type ServiceSettings = Pick<EdgeSettings, 'models' | 'companions'>

export const hasSuffix = (path: string, request: JsonObject): boolean =>
  path === '/v1/completions' && (request.at.suffix ?? '') !== ''

/** Whether only a model that fills gaps can answer. */
export const hasGap = (path: string, request: JsonObject): boolean =>
  path === '/infill' || hasSuffix(path, request)

/**
 * The service whose model a request names. Without a name, or under chat's, a request with a gap is for the completion
 * service, if there is one.
 */
export function serviceOf(path: string, request: JsonObject, settings: ServiceSettings): ServiceKind {
  const own = postRoute(path)?.service
  if (own !== undefined) return own
  const completion = settings.companions.completion
  if (completion === undefined || (path !== '/infill' && path !== '/v1/completions')) return 'chat'
  return request.at.model === completion.model || hasGap(path, request) ? 'completion' : 'chat'
}

/** Bytes of a character in UTF-8. In njs a character may be beyond the basic plane; elsewhere, it is a pair of two bytes each. */
function bytesOfCode(code: number): number {
  if (code < 0x80) return 1
  if (code < 0x800 || (code >= 0xd800 && code <= 0xdfff)) return 2
  return code < 0x10000 ? 3 : 4
}

/** Bytes in UTF-8: at least as many as tokens. */
function bytesOf(text: string): number {
  let bytes = 0
  for (let i = 0; i < text.length; i++) bytes += bytesOfCode(text.charCodeAt(i))
  return bytes
}

/** Tokens that separate a file from the next: a separator and a line break. */
const separatorTokens = 2

/**
 * Drops the first of the further files until the rest has at most this many bytes: as many as llama-server has room for
 * tokens. Otherwise it would cut off the start of the prompt, with the tenant's mark, or reject the request.
 */
function limitExtra(request: JsonObject, maxBytes: number): void {
  const given = request.at.input_extra
  if (!isList(given)) return
  let left = maxBytes
  let first = given.length
  while (first > 0) {
    const chunk = given[first - 1]
    if (!isObject(chunk)) break
    left -=
      bytesOf(String(chunk.at.text ?? '')) + bytesOf(String(chunk.at.filename ?? 'tmp')) + separatorTokens
    if (left < 0) break
    first -= 1
  }
  put(request, 'input_extra', given.slice(first))
}

/** Characters by which the start of a long prefix moves at a time: in between, the cached prompt can be reused. */
const cutStep = 512

/** The end of a prefix, from the start of a line: typing one more character rarely changes where it starts. */
function endOf(prefix: string, maxLength: number): string {
  if (prefix.length <= maxLength) return prefix
  const cut = Math.ceil((prefix.length - maxLength) / cutStep) * cutStep
  const line = prefix.indexOf('\n', cut)
  return prefix.slice(line === -1 ? cut : line + 1)
}

/** Shortens a prompt to what the service computes in one batch, cutting at places that stay while somebody types. */
function limitInfill(request: JsonObject, companion: EdgeCompanion): void {
  limitExtra(request, companion.extra)
  put(request, 'input_prefix', endOf(String(request.at.input_prefix ?? ''), companion.prefix))
  put(request, 'input_suffix', String(request.at.input_suffix ?? '').slice(0, companion.suffix))
}

/** What is wrong with a gap in OpenAI's form, if anything: what precedes it must be a text. */
export const gapProblem = (path: string, request: JsonObject): FieldProblem | undefined =>
  hasSuffix(path, request) && typeof request.at.prompt !== 'string'
    ? { field: 'prompt', message: 'prompt: with a suffix, expected a string, got tokens' }
    : undefined

/** OpenAI's form of a gap: llama-server's completions take no suffix, so the prompt has the model's own tokens. */
function writeGap(request: JsonObject, companion: EdgeCompanion): void {
  const tokens = companion.infill
  if (tokens === undefined) return
  const prefix = endOf(String(request.at.prompt ?? ''), companion.prefix)
  const suffix = String(request.at.suffix).slice(0, companion.suffix)
  put(request, 'prompt', tokens.prefix + prefix + tokens.suffix + suffix + tokens.middle)
}

function limitLength(request: JsonObject): void {
  const names = ['n_predict', 'max_tokens'].filter(name => request.at[name] !== undefined)
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string
    const length = Number(request.at[name])
    if (length < 0 || length > completionLength.max) put(request, name, completionLength.max)
  }
  if (names.length === 0) put(request, 'n_predict', completionLength.default)
}

/** Adapts a request to the completion service. */
export function adaptToCompletion(path: string, request: JsonObject, companion: EdgeCompanion): void {
  limitLength(request)
  if (path === '/infill') limitInfill(request, companion)
  else if (hasGap(path, request)) writeGap(request, companion)
  remove(request, 'suffix')
}

/** Puts a further file with this text before all others. */
export function putFirstExtra(request: JsonObject, filename: string, text: string): void {
  const chunk = object()
  put(chunk, 'filename', filename)
  put(chunk, 'text', text)
  const given = request.at.input_extra
  put(request, 'input_extra', [chunk as JsonObject].concat((isList(given) ? given : []) as JsonObject[]))
}
