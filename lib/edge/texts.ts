/** Strings that llama-server reads more in than text: JSON in a string, images, prompts. */
import { isList, type Json } from './json.ts'
import { type Limits, parseJson } from './parse-json.ts'

/** What a tool was called with: llama-server parses it for its template, so that it has the limits of a request. */
export const isJson = (text: string, limits: Limits): boolean => 'value' in parseJson(text, limits)

const imageUrl = /^data:image\/(?:png|jpeg|jpg|gif|webp|bmp);base64,/
const base64 = /^[A-Za-z0-9+/]*={0,2}$/

export function isImage(url: string): boolean {
  const opening = imageUrl.exec(url.slice(0, 40))
  return opening !== null && url.length > opening[0].length && base64.test(url.slice(opening[0].length))
}

const largestToken = 2 ** 31 - 1
const isToken = (value: Json): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestToken

/** One prompt, where llama-server would take several, a slot for each. */
export function onePrompt(value: Json): Json | undefined {
  if (typeof value === 'string') return value
  if (!isList(value) || value.length === 0) return undefined
  const first = value[0] as Json
  if (value.length === 1 && (typeof first === 'string' || isList(first))) return onePrompt(first)
  return value.every(isToken) ? value : undefined
}
