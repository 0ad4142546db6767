/** Texts to be embedded or ranked: how much llama-server would make of them. Runs inside nginx. */
import type { EdgeCompanion } from '../appliance/requests/edge-settings.ts'
import type { FieldProblem } from './check.ts'
import { isList, type Json, type JsonObject, put } from './json.ts'

/** More characters than a token of any text has on average: what exceeds that, the model cannot read. */
const charactersPerToken = 16

/**
 * Characters of all texts in one request: some 260,000 tokens, for which others may wait. OpenAI's API takes 300,000
 * tokens.
 */
const mostCharacters = 2 ** 20

const textsIn = (value: Json | undefined): string[] =>
  isList(value) ? (value as string[]) : typeof value === 'string' ? [value] : []

/**
 * What is too long. llama-server puts the query before each document: without a limit, a request of 100 kB becomes
 * gigabytes there.
 */
export function textsProblem(
  request: JsonObject,
  companion: Pick<EdgeCompanion, 'contextSize' | 'texts'> | undefined,
): FieldProblem | undefined {
  if (companion === undefined) return undefined
  const contextSize = companion.contextSize
  const isRanking = request.at.query !== undefined
  const field = isRanking ? 'documents' : 'input'
  const before = isRanking ? String(request.at.query).length : 0
  const texts = textsIn(request.at[field])
  if (!isRanking && texts.length > companion.texts)
    return {
      field: field,
      message: `${field}: expected an array of at most ${companion.texts} texts, got ${texts.length}: send them in several requests`,
    }
  const most = charactersPerToken * contextSize
  const more = isRanking ? ' with the query' : ''
  let all = 0
  for (let i = 0; i < texts.length; i++) {
    const length = before + (texts[i] as string).length
    if (length > most)
      return {
        field: field,
        message: `${field}: number ${i + 1} has ${length} characters${more}, and the model reads ${contextSize} tokens: send it in parts`,
      }
    all += length
  }
  if (all <= mostCharacters) return undefined
  return {
    field: field,
    message: `${field}: ${all} characters in all${isRanking ? ', each with the query' : ''}; expected at most ${mostCharacters}: send them in several requests`,
  }
}

const place = '{document}'

/** In llama-server's template a document takes every place of this name, those in the query too. */
export function adaptTexts(request: JsonObject): void {
  const query = request.at.query
  if (typeof query === 'string') put(request, 'query', query.split(place).join('{ document}'))
}
