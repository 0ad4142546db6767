/** JSON values as the filter represents them, the same in Node and in nginx, and how they are serialised. */

/** An integer beyond 2^53, kept as its digits, so that a tool call's arguments are passed on unchanged. */
export type LongInteger = { digits: string }
export type JsonObject = {
  /** In their original order, which JavaScript objects do not keep for keys that look like numbers. */
  keys: string[]
  at: Record<string, Json>
  /** Of a schema: its index among those of its document, and its cost. */
  place?: { index: number; cost: number }
}
export type Json = null | boolean | number | string | LongInteger | Json[] | JsonObject

const ownProperty = Object.prototype.hasOwnProperty
/** `Object.hasOwn`, which njs 0.7.9 does not have. */
export const hasOwn = (target: object, key: string): boolean => ownProperty.call(target, key)

/** Without a prototype: `__proto__` is a key like any other. */
export const object = (): JsonObject => ({ keys: [], at: Object.create(null) })

export const isList = (value: Json | undefined): value is Json[] => Array.isArray(value)
export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !isList(value) && (value as JsonObject).keys !== undefined
export const isLongInteger = (value: Json | undefined): value is LongInteger =>
  typeof value === 'object' && value !== null && (value as LongInteger).digits !== undefined

/** Sets a key's value. The last of duplicate keys wins, as in llama-server. */
export function put(target: JsonObject, key: string, value: Json): void {
  if (target.at[key] === undefined) target.keys.push(key)
  target.at[key] = value
}

/** Removes keys, if they exist. */
export function remove(target: JsonObject, key: string, another?: string): void {
  if (target.at[key] !== undefined) {
    target.keys.splice(target.keys.indexOf(key), 1)
    delete target.at[key]
  }
  if (another !== undefined) remove(target, another)
}

type OpenWriter = { container: Json[] | JsonObject; length: number; next: number }

const plain = (value: Json): string => (isLongInteger(value) ? value.digits : JSON.stringify(value))

/** Serialises a value. Not recursive: njs's call stack is only some hundred calls deep. */
export function writeJson(value: Json): string {
  const parts: string[] = []
  const open: OpenWriter[] = []
  let current: Json = value
  for (;;) {
    if (isObject(current)) {
      parts.push('{')
      open.push({ container: current, length: current.keys.length, next: 0 })
    } else if (isList(current)) {
      parts.push('[')
      open.push({ container: current, length: current.length, next: 0 })
    } else parts.push(plain(current))

    let top = open[open.length - 1]
    while (top !== undefined && top.next === top.length) {
      parts.push(isList(top.container) ? ']' : '}')
      open.pop()
      top = open[open.length - 1]
    }
    if (top === undefined) return parts.join('')

    if (top.next > 0) parts.push(',')
    const index = top.next++
    if (isList(top.container)) current = top.container[index] as Json
    else {
      const key = top.container.keys[index] as string
      parts.push(JSON.stringify(key), ':')
      current = top.container.at[key] as Json
    }
  }
}
