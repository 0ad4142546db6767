/**
 * A JSON parser with limits that behaves the same in nginx and in Node. njs's own (0.7.9) stops at 32 levels,
 * turns lone surrogates into U+FFFD and rounds long integers. Strings' ends are found with `indexOf`, so that
 * long texts are cheap.
 */
import { isList, type Json, type JsonObject, type LongInteger, object, put } from './json.ts'
import { endsEscaped, matches } from './patterns.ts'

export type JsonLimits = { levels: number; values: number; keys: number }
/** `values`: how many there are, the value itself and all inside. */
export type Parsed = { value: Json; values: number } | { problem: string; position: number }

const tab = 9
const lineFeed = 10
const carriageReturn = 13
const space = 32
const quote = 34
const comma = 44
const colon = 58
const openBracket = 91
const backslash = 92
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

const number = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/
const wholeNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/
const afterNumber = /[^0-9.eE+-]/
const fraction = /[.eE]/
const maxDigits = 40
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these.
const controlCharacter = /[\u0000-\u001f]/
const escapedSurrogate = /\\u[dD][89a-fA-F]/
const highSurrogate = /^[dD][89abAB]/
const lowSurrogate = /^[dD][c-fC-F]/

/**
 * Whether escape sequences form a lone surrogate. Linear, in nginx too: njs reads a whole text again for each match in it,
 * so that a megabyte of emoji took it half a minute.
 */
function hasLoneSurrogate(inner: string): boolean {
  if (!matches(inner, escapedSurrogate)) return false
  const parts = inner.split('\\u')
  /** Whether the part before ended with a high surrogate, which the next must follow. */
  let isOpen = false
  for (let i = 1; i < parts.length; i++) {
    const part = parts[i] as string
    // The backslash is itself escaped.
    if (endsEscaped(parts[i - 1] as string)) continue
    const isLow = matches(part.slice(0, 4), lowSurrogate)
    if (isOpen !== isLow) return true
    isOpen = matches(part.slice(0, 4), highSurrogate)
    if (isOpen && part.length > 4) return true
  }
  return isOpen
}

/** The position of the closing quote of the string that begins at `start`, or -1. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1) {
    let before = end - 1
    while (text.charCodeAt(before) === backslash) before--
    if ((end - before) % 2 === 1) return end
    end = text.indexOf('"', end + 1)
  }
  return -1
}

/** A number's value; undefined if it exceeds a double. A long integer keeps its digits. */
function numberOf(digits: string, isInteger: boolean): number | LongInteger | undefined {
  const value = Number(digits)
  if (!Number.isFinite(value)) return undefined
  return isInteger && Math.abs(value) > Number.MAX_SAFE_INTEGER ? { digits: digits } : value
}

const tooEarly = 'unexpected end of input'

/** The text, the current position, and what is wrong there. */
type Reader = { text: string; at: number; problem: string | undefined }

/** Skips white space; returns the next character's code, NaN at the end. */
function skipSpace(reader: Reader): number {
  let code = reader.text.charCodeAt(reader.at)
  while (code === space || code === lineFeed || code === carriageReturn || code === tab) {
    code = reader.text.charCodeAt(++reader.at)
  }
  return code
}

/** Reads the string that begins here; undefined if there is a problem. */
function readString(reader: Reader): string | undefined {
  const end = endOfString(reader.text, reader.at)
  if (end === -1) {
    reader.problem = 'unterminated string'
    return undefined
  }
  const inner = reader.text.slice(reader.at + 1, end)
  const isPlain = inner.indexOf('\\') === -1
  if (matches(inner, controlCharacter)) reader.problem = 'unescaped control character in a string'
  else if (!isPlain && hasLoneSurrogate(inner))
    reader.problem = 'lone surrogate (\\ud800 to \\udfff), which is not a character'
  if (reader.problem !== undefined) return undefined
  try {
    const value = isPlain ? inner : JSON.parse(`"${inner}"`)
    reader.at = end + 1
    return value
  } catch (_) {
    reader.problem = 'unknown escape sequence'
    return undefined
  }
}

/** JSON's literals, by their first characters. */
const literals: Record<string, [string, null | boolean]> = {
  t: ['true', true],
  f: ['false', false],
  n: ['null', null],
}

/** The longest number that begins here, cut after one digit too many; empty if there is none. */
function digitsAt(reader: Reader): string {
  const next = reader.text.slice(reader.at, reader.at + maxDigits + 1)
  const end = next.search(afterNumber)
  const whole = end === -1 ? next : next.slice(0, end)
  if (matches(whole, wholeNumber)) return whole
  const found = number.exec(next)
  return found === null ? '' : found[0]
}

/** Reads the number or literal that begins here; undefined if there is a problem. */
function readNumberOrLiteral(reader: Reader): Json | undefined {
  const first = reader.text.charAt(reader.at)
  const word = literals[first]
  if (word !== undefined && reader.text.slice(reader.at, reader.at + word[0].length) === word[0]) {
    reader.at += word[0].length
    return word[1]
  }
  const digits = digitsAt(reader)
  const value = digits === '' ? undefined : numberOf(digits, !matches(digits, fraction))
  reader.at += digits.length
  if (digits === '') reader.problem = first === '' ? tooEarly : 'unexpected character where a value belongs'
  else if (value === undefined || digits.length > maxDigits) reader.problem = 'number too large'
  return value
}

/** Reads a key with its colon; undefined if there is a problem. */
function readKey(reader: Reader, container: JsonObject, limits: JsonLimits): string | undefined {
  if (container.keys.length >= limits.keys) reader.problem = `more than ${limits.keys} keys in one object`
  else if (reader.text.charCodeAt(reader.at) !== quote) {
    reader.problem = 'expected a key in double quotes'
  }
  if (reader.problem !== undefined) return undefined
  const key = readString(reader)
  if (key === undefined) return undefined
  if (skipSpace(reader) !== colon) reader.problem = 'expected a colon'
  else reader.at++
  return key
}

type OpenContainer = { container: Json[] | JsonObject; key: string }

/** Parses a whole text. Not recursive: njs's call stack is only some hundred calls deep. */
export function parseJson(text: string, limits: JsonLimits): Parsed {
  // A byte order mark is ignored (RFC 8259, 8.1).
  const reader: Reader = { text: text, at: text.charCodeAt(0) === 0xfeff ? 1 : 0, problem: undefined }
  const stack: OpenContainer[] = []
  let values = 0
  /** What was read last: a complete value, an opening bracket, or a separator, which a value must follow. */
  let last = 'separator' as 'value' | 'opening' | 'separator'
  let result: Json | undefined

  const place = (value: Json) => {
    const open = stack[stack.length - 1]
    if (open === undefined) result = value
    else if (isList(open.container)) open.container.push(value)
    else put(open.container, open.key, value)
    last = 'value'
  }

  while (reader.problem === undefined) {
    let code = skipSpace(reader)
    const open = stack[stack.length - 1]
    if (reader.at >= text.length) {
      if (last === 'value' && open === undefined) return { value: result as Json, values: values }
      reader.problem = tooEarly
      break
    }
    const closing = open !== undefined && isList(open.container) ? closeBracket : closeBrace
    if (open !== undefined && last !== 'separator' && code === closing) {
      reader.at++
      stack.pop()
      place(open.container)
      continue
    }
    if (last === 'value') {
      if (open === undefined) reader.problem = 'unexpected content after the value'
      else if (code !== comma) reader.problem = 'expected a comma'
      else reader.at++
      last = 'separator'
      continue
    }
    if (open !== undefined && !isList(open.container)) {
      open.key = readKey(reader, open.container, limits) ?? ''
      if (reader.problem !== undefined) break
      code = skipSpace(reader)
    }
    last = 'separator'
    if (++values > limits.values) reader.problem = `more than ${limits.values} values`
    else if (code === openBrace || code === openBracket) {
      if (stack.length >= limits.levels) {
        reader.problem = `nested more than ${limits.levels} levels deep`
        break
      }
      reader.at++
      stack.push({ container: code === openBrace ? object() : [], key: '' })
      last = 'opening'
    } else {
      const value = code === quote ? readString(reader) : readNumberOrLiteral(reader)
      if (value !== undefined) place(value)
    }
  }
  return { problem: reader.problem as string, position: reader.at }
}
