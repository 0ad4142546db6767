/**
 * Rewrites one level of a JSON Schema so that llama-server can compile it. What it would refuse or choke on
 * is loosened, never tightened: a schema guides the model, and clients check the result. Sources in
 * llama.cpp: `common/json-schema.cpp`, `common/json-schema-to-grammar.cpp`, `src/llama-grammar.cpp`.
 */
import { hasOwn, isList, isObject, type Json, type JsonObject, object, put, remove } from './json.ts'
import { endsEscaped, matches } from './patterns.ts'

/** llama.cpp unrolls repetitions item by item, and refuses more than 2000. */
const maxRepetitions = 500
/** Each value adds a grammar state at every token. */
const maxValues = 500
/** llama.cpp converts bounds digit by digit: up to 16 digits with two bounds, 15 with only one. */
const largest = 1e16
const largestAlone = 1e15
const maxProperties = 250
/** llama.cpp turns names into rule names with `std::regex`, which recurses for each character. */
const maxNameLength = 128

const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
const isType = (value: Json): boolean => typeof value === 'string' && types.indexOf(value) !== -1

/** An unknown type would be an error; a repeated one would be compiled twice. The list may be long: it is read once. */
function cleanType(schema: JsonObject): void {
  const type = schema.at.type
  if (type === undefined || isType(type)) return
  const known: Json[] = []
  if (isList(type))
    type.forEach(one => {
      if (isType(one) && known.indexOf(one) === -1) known.push(one)
    })
  if (known.length === 0) remove(schema, 'type')
  else put(schema, 'type', known)
}

/** `minItems` and the like: whole numbers, in order, small enough to be unrolled. */
function cleanCounts(schema: JsonObject, low: string, high: string): void {
  const isCount = (value: Json | undefined): boolean =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= maxRepetitions
  if (!isCount(schema.at[low])) remove(schema, low)
  if (!isCount(schema.at[high])) remove(schema, high)
  if ((schema.at[low] as number) > (schema.at[high] as number)) remove(schema, low, high)
}

const bounds = ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum']

/** `minimum` and the like: numbers that llama.cpp can convert, in order. */
function cleanBounds(schema: JsonObject): void {
  bounds.forEach(name => {
    if (typeof schema.at[name] !== 'number') remove(schema, name)
  })
  const at = schema.at
  const lowest = at.minimum ?? exclusive(at.exclusiveMinimum, Math.floor, 1)
  const highest = at.maximum ?? exclusive(at.exclusiveMaximum, Math.ceil, -1)
  const isAlone = lowest === undefined || highest === undefined
  const isTooLarge = (value: Json | undefined) =>
    Math.abs(value as number) >= (isAlone ? largestAlone : largest)
  const isEmpty = Math.ceil(lowest as number) > Math.floor(highest as number)
  if (isTooLarge(lowest) || isTooLarge(highest) || isEmpty) {
    bounds.forEach(name => {
      remove(schema, name)
    })
  }
}

const exclusive = (value: Json | undefined, round: (value: number) => number, step: number) =>
  value === undefined ? undefined : round(value as number) + step

/** A regular expression made of pieces to which llama.cpp's converter gives the usual meaning. */
const simple =
  /^(?:(?:[A-Za-z0-9 _@/,:;=~#%&'<>!-]|\\[.$()[\]{}|*+?]|\[(?:[A-Za-z0-9 _.@,:;=~#%&+*?$()|/](?:-[A-Za-z0-9])?)+-?\])(?:[*+?]|\{[0-9]{1,3}(?:,(?:[0-9]{1,3})?)?\})?)*$/

/** What is between the brackets of a kind, other than escaped ones. */
function inBrackets(pattern: string, opening: string, closing: string): string[] {
  const parts = pattern.split(opening)
  return parts
    .slice(1)
    .filter((_, index) => !endsEscaped(parts[index] as string))
    .map(part => part.slice(0, part.indexOf(closing)))
}

/** Whether repetitions, such as `2` or `1,3`, are in order, and few enough. */
function isRepetition(text: string): boolean {
  const counts = text.split(',')
  const low = Number(counts[0])
  const high = counts[1] === undefined || counts[1] === '' ? low : Number(counts[1])
  return low <= high && high <= maxRepetitions
}

/** Whether the ranges in a character class, such as `a-z`, are in order. */
function hasOrderedRanges(characters: string): boolean {
  for (let i = 1; i < characters.length - 1; i++) {
    const isRange = characters.charAt(i) === '-'
    if (isRange && characters.charAt(i - 1) > characters.charAt(i + 1)) return false
  }
  return true
}

function isSimple(pattern: string): boolean {
  const inner = pattern.slice(1, -1)
  return (
    matches(inner, simple) &&
    inBrackets(inner, '{', '}').every(isRepetition) &&
    inBrackets(inner, '[', ']').every(hasOrderedRanges)
  )
}

/**
 * llama.cpp converts only patterns between `^` and `$`; an unsupported one is an error, or worse. A group
 * around the whole hides it from the converter, keeps its meaning, and leaves it for the model to read.
 */
function cleanPattern(schema: JsonObject): void {
  const pattern = schema.at.pattern
  if (typeof pattern !== 'string') {
    remove(schema, 'pattern')
    return
  }
  const isConverted = pattern.charAt(0) === '^' && pattern.charAt(pattern.length - 1) === '$'
  if (isConverted && !(pattern.length <= 250 && isSimple(pattern))) put(schema, 'pattern', `(?:${pattern})`)
}

/** Characters with a meaning inside a grammar's brackets, with which llama.cpp describes additional keys. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a grammar ends at NUL.
const specialInBrackets = /[\u0000-\u001f\]\\^[-]/

/** `properties` must be an object with few, short names; anything but an object is removed. */
function cleanProperties(schema: JsonObject, path: string): string | undefined {
  const properties = schema.at.properties
  if (properties === undefined) return undefined
  if (!isObject(properties)) {
    // PHP serialises an empty object as an empty array.
    if (isList(properties) && properties.length === 0) put(schema, 'properties', object())
    else remove(schema, 'properties')
    return undefined
  }
  const names = properties.keys
  if (names.length > maxProperties) {
    return `${path}.properties: expected at most ${maxProperties}, got ${names.length}`
  }
  if (names.some(name => name.length > maxNameLength)) {
    return `${path}.properties: expected names of at most ${maxNameLength} characters`
  }
  const additional = schema.at.additionalProperties
  if (
    additional !== undefined &&
    additional !== false &&
    names.some(name => matches(name, specialInBrackets))
  ) {
    put(schema, 'additionalProperties', false)
  }
  return undefined
}

function cleanAlternatives(schema: JsonObject, name: string, path: string): string | undefined {
  const alternatives = schema.at[name]
  if (alternatives === undefined) return undefined
  if (!isList(alternatives) || alternatives.length === 0) remove(schema, name)
  else if (alternatives.length > maxValues) {
    return `${path}.${name}: expected at most ${maxValues}, got ${alternatives.length}`
  }
  return undefined
}

/**
 * Replaces an `allOf` of one member, with which some generators describe a reference, by the member. Repeated,
 * because the member may itself be such an `allOf`.
 */
function hoistOnlyMembers(schema: JsonObject): void {
  let members = schema.at.allOf
  while (isList(members) && members.length === 1 && !hasOwn(schema.at, '$ref')) {
    const member = members[0]
    remove(schema, 'allOf')
    if (isObject(member)) {
      member.keys.forEach(key => {
        if (!hasOwn(schema.at, key)) put(schema, key, member.at[key] as Json)
      })
    }
    members = schema.at.allOf
  }
}

/** Rewrites one level; returns a problem if it cannot be loosened. */
export function cleanKeywords(schema: JsonObject, path: string): string | undefined {
  hoistOnlyMembers(schema)
  cleanType(schema)
  cleanCounts(schema, 'minItems', 'maxItems')
  cleanCounts(schema, 'minLength', 'maxLength')
  cleanBounds(schema)
  cleanPattern(schema)
  const values = schema.at.enum
  if (!isList(values) || values.length === 0 || values.length > maxValues) remove(schema, 'enum')
  if (typeof schema.at.format !== 'string') remove(schema, 'format')
  const additional = schema.at.additionalProperties
  if (typeof additional !== 'boolean' && !isObject(additional)) remove(schema, 'additionalProperties')
  return (
    cleanProperties(schema, path) ??
    cleanAlternatives(schema, 'anyOf', path) ??
    cleanAlternatives(schema, 'oneOf', path) ??
    cleanAlternatives(schema, 'allOf', path)
  )
}
