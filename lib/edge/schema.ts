/** Rewrites the JSON Schemas of tools and answers into ones that llama-server can compile to grammars. */
import { isList, isObject, type Json, type JsonObject, object, put } from './json.ts'
import { type Document, untangle } from './schema-graph.ts'
import { cleanKeywords } from './schema-keywords.ts'

/**
 * What the schemas of one request may cost llama-server, in schemas of ordinary size. The largest known tool
 * sets have some thousands; this many compile within seconds.
 */
export const maxSchemas = 20_000
const tooLarge = `too large: with its references it exceeds the ${maxSchemas} schemas that a request may contain`

export type Budget = { schemas: number }
export type Cleaned = { value: Json } | { message: string }

const sizeOf = (value: Json | undefined): number => (isList(value) ? value.length : 0)

/** How many of a schema's properties are optional. */
function optionalOf(schema: JsonObject): number {
  const properties = schema.at.properties
  if (!isObject(properties)) return 0
  const required = object()
  if (isList(schema.at.required)) {
    schema.at.required.forEach(name => {
      if (typeof name === 'string') put(required, name, true)
    })
  }
  return properties.keys.filter(name => required.at[name] === undefined).length
}

/** Rule names contain all names above; each value is an alternative; optional properties combine, cubed. */
function costOf(schema: JsonObject, names: number): number {
  const repetitions = ((schema.at.maxItems ?? schema.at.minItems ?? 0) as number) + lengthOf(schema)
  return 1 + names / 50 + sizeOf(schema.at.enum) + optionalOf(schema) ** 3 / 2500 + repetitions / 10
}

const lengthOf = (schema: JsonObject): number => (schema.at.maxLength ?? schema.at.minLength ?? 0) as number

const namedSchemas = ['properties', '$defs', 'definitions']
const listedSchemas = ['anyOf', 'oneOf', 'allOf', 'items', 'prefixItems']
const singleSchemas = ['items', 'prefixItems', 'additionalProperties']

/** Booleans and anything else that is not an object become a schema that accepts anything. */
const asSchema = (value: Json): JsonObject => (isObject(value) ? value : object())

type Found = { schema: JsonObject; name: string }

/** The schemas directly within one; whatever is not a schema is replaced by one that accepts anything. */
function below(schema: JsonObject): Found[] {
  const found: Found[] = []
  namedSchemas.forEach(keyword => {
    const holder = schema.at[keyword]
    if (!isObject(holder)) return
    holder.keys.forEach(name => {
      const inner = asSchema(holder.at[name] as Json)
      put(holder, name, inner)
      found.push({ schema: inner, name: name })
    })
  })
  listedSchemas.forEach(keyword => {
    const list = schema.at[keyword]
    if (!isList(list)) return
    list.forEach((value, index) => {
      const inner = asSchema(value)
      list[index] = inner
      found.push({ schema: inner, name: keyword })
    })
  })
  singleSchemas.forEach(keyword => {
    const value = schema.at[keyword]
    if (value === undefined || isList(value)) return
    // llama-server understands a boolean here.
    if (keyword === 'additionalProperties' && !isObject(value)) return
    const inner = asSchema(value)
    put(schema, keyword, inner)
    found.push({ schema: inner, name: keyword })
  })
  return found
}

/** The closest schema to the given one that llama-server can compile. */
export function cleanSchema(given: Json, path: string, budget: Budget): Cleaned {
  const root = asSchema(given)
  const document: Document = { root: root, nodes: [] }
  const waiting = [{ schema: root, names: 0 }]
  while (waiting.length > 0) {
    const next = waiting.pop() as { schema: JsonObject; names: number }
    const problem = cleanKeywords(next.schema, path)
    if (problem !== undefined) return { message: problem }
    next.schema.place = { index: document.nodes.length, cost: costOf(next.schema, next.names) }
    document.nodes.push(next.schema)
    if (document.nodes.length > budget.schemas) return { message: `${path}: ${tooLarge}` }
    below(next.schema).forEach(inner => {
      waiting.push({ schema: inner.schema, names: next.names + inner.name.length + 1 })
    })
  }
  budget.schemas -= untangle(document)
  return budget.schemas < 0 ? { message: `${path}: ${tooLarge}` } : { value: root }
}
