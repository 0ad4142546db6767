/**
 * JSON as the filter reads and writes it: bounded, iterative, the same in Node and in nginx.
 *
 * nginx's own `JSON.parse` (njs 0.7.9) stops at 32 levels, turns lone surrogates into U+FFFD and rounds long integers; all
 * three are decided here instead.
 */

/** A whole number beyond 2^53, by its digits: what a tool was called with goes on as it came. */
export type LongInteger = { digits: string }
/** Its keys in order; of one that came twice the last value counts, as for llama-server. */
export type JsonObject = { keys: string[]; at: Record<string, Json> }
export type Json = null | boolean | number | string | LongInteger | Json[] | JsonObject

export type JsonLimits = { depth: number; values: number; keys: number }
export type Parsed = { value: Json } | { problem: string; position: number }

export const object = (): JsonObject => ({ keys: [], at: Object.create(null) })

export function put(target: JsonObject, key: string, value: Json): void {
  if (target.at[key] === undefined) target.keys.push(key)
  target.at[key] = value
}

const ownProperty = Object.prototype.hasOwnProperty
/** `Object.hasOwn`, which njs 0.7.9 has not. */
export const hasOwn = (target: object, key: string): boolean => ownProperty.call(target, key)

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !isList(value) && (value as JsonObject).keys !== undefined
export const isList = (value: Json | undefined): value is Json[] => Array.isArray(value)
export const isLongInteger = (value: Json | undefined): value is LongInteger =>
  typeof value === 'object' && value !== null && (value as LongInteger).digits !== undefined

/** What a value is, in words. */
export function kindOf(value: Json | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (isList(value)) return 'an array'
  if (isLongInteger(value)) return 'a number'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'boolean' ? 'a boolean' : typeof value === 'number' ? 'a number' : 'a string'
}

const space = 32
const quote = 34
const comma = 44
const colon = 58
const openBracket = 91
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

const isSpace = (code: number) => code === space || code === 10 || code === 13 || code === 9

const number = /^-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these.
const controlCharacter = /[\u0000-\u001f]/
const badEscape = /\\(?:[^"\\/bfnrtu]|u(?![0-9a-fA-F]{4}))/
const surrogate = /\\u[dD][89a-fA-F]/
const escapedPair = /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}/g
const escapedBackslash = /\\\\/g

const words: [string, Json][] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

/** Where a string that began at `start` ends: the position of its closing quote, or -1. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === 92) backslashes++
    if (backslashes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return -1
}

/** What is wrong with a string's text between its quotes. */
function problemOfString(inner: string): string | undefined {
  if (controlCharacter.test(inner)) return 'a control character that is not escaped'
  if (inner.indexOf('\\') === -1) return undefined
  const plain = inner.replace(escapedBackslash, '')
  if (badEscape.test(plain)) return 'an unknown escape sequence'
  if (surrogate.test(plain) && surrogate.test(plain.replace(escapedPair, ''))) {
    return 'half of a surrogate pair, which is not a character'
  }
  return undefined
}

/** A number's value: what no double holds is refused, a long integer keeps its digits. */
function valueOfNumber(text: string, isInteger: boolean): number | LongInteger | undefined {
  const value = Number(text)
  if (!Number.isFinite(value)) return undefined
  return isInteger && Math.abs(value) > Number.MAX_SAFE_INTEGER ? { digits: text } : value
}

type Open = { list: Json[] | undefined; object: JsonObject | undefined; key: string }

/** Parses a whole text. */
export function parseJson(text: string, limits: JsonLimits): Parsed {
  const length = text.length
  const stack: Open[] = []
  let open: Open | undefined
  let values = 0
  let at = 0
  /** What may come: a value, a value or the end of an empty container, a key, or what follows a value. */
  let expects: 'value' | 'value or end' | 'key' | 'key or end' | 'end' = 'value'
  let result: Json | undefined

  for (;;) {
    let code = text.charCodeAt(at)
    while (isSpace(code)) code = text.charCodeAt(++at)

    if (at >= length) {
      if (result !== undefined && open === undefined) return { value: result }
      return { problem: 'the text ends too early', position: at }
    }

    let value: Json | undefined
    if (expects === 'end') {
      if (open === undefined) return { problem: 'there is more after the value', position: at }
      if (code === comma) {
        at++
        expects = open.object === undefined ? 'value' : 'key'
        continue
      }
      if (code !== (open.object === undefined ? closeBracket : closeBrace)) {
        return {
          problem: `expected a comma or the end of the ${open.object ? 'object' : 'array'}`,
          position: at,
        }
      }
      at++
      value = (open.object ?? open.list) as Json
      open = stack.pop()
    } else if (expects === 'key' || expects === 'key or end') {
      if (code === closeBrace && expects === 'key or end') {
        at++
        value = (open as Open).object as JsonObject
        open = stack.pop()
      } else {
        if (code !== quote) return { problem: 'expected a key in double quotes', position: at }
        const end = endOfString(text, at)
        if (end === -1) return { problem: 'a string without an end', position: at }
        const inner = text.slice(at + 1, end)
        const problem = problemOfString(inner)
        if (problem !== undefined) return { problem: problem, position: at }
        const target = (open as Open).object as JsonObject
        ;(open as Open).key = inner.indexOf('\\') === -1 ? inner : JSON.parse(`"${inner}"`)
        if (target.keys.length >= limits.keys) {
          return { problem: `more than ${limits.keys} keys in one object`, position: at }
        }
        at = end + 1
        while (isSpace(text.charCodeAt(at))) at++
        if (text.charCodeAt(at) !== colon) return { problem: 'expected a colon', position: at }
        at++
        expects = 'value'
        continue
      }
    } else {
      if (++values > limits.values) return { problem: `more than ${limits.values} values`, position: at }
      if (code === quote) {
        const end = endOfString(text, at)
        if (end === -1) return { problem: 'a string without an end', position: at }
        const inner = text.slice(at + 1, end)
        const problem = problemOfString(inner)
        if (problem !== undefined) return { problem: problem, position: at }
        value = inner.indexOf('\\') === -1 ? inner : JSON.parse(`"${inner}"`)
        at = end + 1
      } else if (code === openBrace || code === openBracket) {
        if (open !== undefined) stack.push(open)
        if (stack.length >= limits.depth) {
          return { problem: `nested more than ${limits.depth} levels deep`, position: at }
        }
        const isBrace = code === openBrace
        open = { list: isBrace ? undefined : [], object: isBrace ? object() : undefined, key: '' }
        expects = isBrace ? 'key or end' : 'value or end'
        at++
        continue
      } else if (code === closeBracket && expects === 'value or end') {
        at++
        value = (open as Open).list as Json[]
        open = stack.pop()
      } else {
        const ahead = text.slice(at, at + 400)
        const found = number.exec(ahead)
        if (found !== null) {
          const isInteger = found[1] === undefined && found[2] === undefined
          if (found[0].length > 300) return { problem: 'a number with too many digits', position: at }
          value = valueOfNumber(found[0], isInteger)
          if (value === undefined) return { problem: 'a number that is too large', position: at }
          at += found[0].length
        } else {
          for (let i = 0; i < words.length && value === undefined; i++) {
            const word = words[i] as [string, Json]
            if (ahead.slice(0, word[0].length) === word[0]) {
              value = word[1]
              at += word[0].length
            }
          }
          if (value === undefined) return { problem: 'expected a value', position: at }
        }
      }
    }

    if (open === undefined) result = value
    else if (open.object !== undefined) put(open.object, open.key, value as Json)
    else (open.list as Json[]).push(value as Json)
    expects = 'end'
  }
}

type Writing = {
  keys: string[] | undefined
  values: Json[] | Record<string, Json>
  next: number
  length: number
}

/** Writes a value: plain JSON without spaces. */
export function writeJson(value: Json): string {
  const parts: string[] = []
  const stack: Writing[] = []
  let current: Json = value
  for (;;) {
    if (isObject(current)) {
      parts.push('{')
      stack.push({ keys: current.keys, values: current.at, next: 0, length: current.keys.length })
    } else if (isList(current)) {
      parts.push('[')
      stack.push({ keys: undefined, values: current, next: 0, length: current.length })
    } else {
      parts.push(isLongInteger(current) ? current.digits : JSON.stringify(current))
    }

    let top = stack[stack.length - 1]
    while (top !== undefined && top.next === top.length) {
      parts.push(top.keys === undefined ? ']' : '}')
      stack.pop()
      top = stack[stack.length - 1]
    }
    if (top === undefined) return parts.join('')

    if (top.next > 0) parts.push(',')
    const index = top.next++
    if (top.keys === undefined) {
      current = (top.values as Json[])[index] as Json
    } else {
      const key = top.keys[index] as string
      parts.push(JSON.stringify(key), ':')
      current = (top.values as Record<string, Json>)[key] as Json
    }
  }
}
