/** A request's body as JSON, within the limits of one. Runs inside nginx. */
import type { Json } from './json.ts'
import { limits } from './limits.ts'
import { parseJson } from './parse-json.ts'

/** The value in a body, or what is wrong with it. `text`: undefined if the body is not UTF-8. */
export function parseBody(text: string | undefined): { value: Json } | { message: string; code: string } {
  if (text === undefined) return { message: 'The request is not valid UTF-8.', code: 'invalid_encoding' }
  const parsed = parseJson(text, limits)
  if ('value' in parsed) return { value: parsed.value }
  return {
    message: `Invalid JSON at character ${parsed.position} of ${text.length}: ${parsed.problem}.`,
    code: 'invalid_json',
  }
}
