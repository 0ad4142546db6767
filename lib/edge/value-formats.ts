/** Formats of values that llama-server parses further: images, tokens, prompts. */
import { isList, type Json } from './json.ts'

const imageUrl = /^data:image\/(?:png|jpeg|jpg|gif|webp|bmp);base64,/
const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Whether a string is a data: URL with an image in Base64. */
export function isImage(url: string): boolean {
  const opening = imageUrl.exec(url.slice(0, 40))
  return opening !== null && url.length > opening[0].length && base64.test(url.slice(opening[0].length))
}

/** Whether a value is a token ID: llama-server and some tokenizers fail on those beyond the vocabulary. */
export const isToken = (value: Json, vocabulary: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < vocabulary

/** The single prompt in a value; undefined for several, each of which would take a slot. */
export function onePrompt(value: Json, vocabulary: number): Json | undefined {
  if (typeof value === 'string') return value
  if (!isList(value) || value.length === 0) return undefined
  const first = value[0] as Json
  if (value.length === 1 && (typeof first === 'string' || isList(first))) return onePrompt(first, vocabulary)
  return value.every(token => isToken(token, vocabulary)) ? value : undefined
}
