/** Texts to be embedded or ranked: how much llama-server would make of them. Runs inside nginx. */
import type { EdgeCompanion } from '../appliance/requests/edge-settings.ts'
import type { FieldProblem } from './check.ts'
import { isList, type Json, type JsonObject, put } from './json.ts'

/** More than any text has on average: a longer text does not fit into the model's context window. */
const charactersPerToken = 16

/**
 * Characters of all texts in one request: some 260,000 tokens, for which others may wait. OpenAI's API takes 300,000
 * tokens.
 */
const maxCharacters = 2 ** 20

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
  const maxLength = charactersPerToken * contextSize
  const withQuery = isRanking ? ' with the query' : ''
  let total = 0
  for (let i = 0; i < texts.length; i++) {
    const length = before + (texts[i] as string).length
    if (length > maxLength)
      return {
        field: field,
        message: `${field}: number ${i + 1} has ${length} characters${withQuery}, and the model reads ${contextSize} tokens: send it in parts`,
      }
    total += length
  }
  if (total <= maxCharacters) return undefined
  return {
    field: field,
    message: `${field}: ${total} characters in all${isRanking ? ', each with the query' : ''}; expected at most ${maxCharacters}: send them in several requests`,
  }
}

const placeholder = '{document}'

/** llama-server's template replaces this placeholder everywhere by the document, even in the query. */
export function adaptTexts(request: JsonObject): void {
  const query = request.at.query
  if (typeof query === 'string') put(request, 'query', query.split(placeholder).join('{ document}'))
}
