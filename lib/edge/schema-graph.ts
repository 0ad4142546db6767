/** Resolves a JSON Schema's references, drops invalid and circular ones, and estimates the grammar's size. */
import { isList, isObject, type Json, type JsonObject, remove } from './json.ts'
import { matches } from './patterns.ts'

/** A schema, with all nested schemas that llama.cpp reads, the root first. */
export type Document = { root: JsonObject; nodes: JsonObject[] }

const index = /^(?:0|[1-9][0-9]{0,4})$/

/** Resolves a reference as llama.cpp does: by plain keys and indexes, without unescaping. */
function resolve(document: Document, reference: string): JsonObject | undefined {
  let target: Json | undefined = document.root
  const steps = reference.slice(2).split('/')
  for (let i = 0; i < steps.length && target !== undefined; i++) {
    const step = steps[i] as string
    if (isObject(target)) target = target.at[step]
    else if (isList(target)) target = matches(step, index) ? target[Number(step)] : undefined
    else target = undefined
  }
  return isObject(target) && target.place !== undefined ? target : undefined
}

const members = (value: Json | undefined): JsonObject[] =>
  isList(value) ? (value as JsonObject[]) : isObject(value) ? [value] : []

/** The longest chain of references: llama.cpp follows it recursively. */
const maxChainLength = 20

/** The most referenced schemas: llama.cpp processes them recursively, and 1000 in a row are fine. */
const maxTargets = 500

/** Whether a chain of references is short enough. */
function endsSoon(first: JsonObject, targets: Record<string, JsonObject>): boolean {
  let target = first
  for (let i = 0; i < maxChainLength; i++) {
    if (target.at.$ref === undefined) return true
    target = targets[target.at.$ref as string] as JsonObject
  }
  return false
}

/** The schemas of a value's parts: properties and items. */
function parts(schema: JsonObject): JsonObject[] {
  const properties = schema.at.properties
  const named = isObject(properties) ? properties.keys.map(key => properties.at[key] as JsonObject) : []
  return named.concat(
    members(schema.at.additionalProperties),
    members(schema.at.items),
    members(schema.at.prefixItems),
  )
}

/** The schemas that apply to the same value as this one: a cycle among them would never end. */
const sameValue = (schema: JsonObject, targets: Record<string, JsonObject>): JsonObject[] => {
  if (schema.at.$ref !== undefined) return [targets[schema.at.$ref as string] as JsonObject]
  const alternatives = schema.at.oneOf ?? schema.at.anyOf
  return alternatives === undefined ? members(schema.at.allOf) : members(alternatives)
}

/** What llama.cpp builds for a schema: a reference's target only once, a member of `allOf` every time. */
const built = (schema: JsonObject, targets: Record<string, JsonObject>): JsonObject[] => {
  if (schema.at.$ref !== undefined) return []
  const alternatives = schema.at.oneOf ?? schema.at.anyOf
  if (alternatives !== undefined) return members(alternatives)
  const merged: JsonObject[] = []
  const add = (member: JsonObject) => {
    let target = member
    while (target.at.$ref !== undefined) target = targets[target.at.$ref as string] as JsonObject
    merged.push(target)
  }
  members(schema.at.allOf).forEach(add)
  // If the type is a list, llama.cpp builds the members once for each kind of value.
  return parts(schema).concat(merged, isList(schema.at.type) ? merged : [])
}

type Frame = { schema: JsonObject; below: JsonObject[]; next: number; cost: number }

/** Beyond this, a cost counts as infinite. */
const infinite = 1e9

const placeOf = (schema: JsonObject): { index: number; cost: number } =>
  schema.place as NonNullable<JsonObject['place']>

/** Each schema's cost including everything below it; a cycle is cut where it closes. */
function costs(
  nodes: JsonObject[],
  below: (schema: JsonObject) => JsonObject[],
  cut: (schema: JsonObject) => void,
): number[] {
  const known: number[] = []
  const isOpen: boolean[] = []
  for (let i = 0; i < nodes.length; i++) {
    const stack: Frame[] = []
    const enter = (schema: JsonObject) => {
      isOpen[placeOf(schema).index] = true
      stack.push({ schema: schema, below: below(schema), next: 0, cost: placeOf(schema).cost })
    }
    if (known[i] === undefined) enter(nodes[i] as JsonObject)
    while (stack.length > 0) {
      const frame = stack[stack.length - 1] as Frame
      const inner = frame.below[frame.next]
      if (inner === undefined) {
        const index = placeOf(frame.schema).index
        known[index] = Math.min(frame.cost, infinite)
        stack.pop()
      } else if (known[placeOf(inner).index] !== undefined) {
        frame.cost += known[placeOf(inner).index] as number
        frame.next++
      } else if (isOpen[placeOf(inner).index]) {
        cut(frame.schema)
        frame.below = below(frame.schema)
        frame.next = 0
        frame.cost = placeOf(frame.schema).cost
      } else enter(inner)
    }
  }
  return known
}

const dropReference = (schema: JsonObject): void => remove(schema, '$ref')
const dropMembers = (schema: JsonObject): void => remove(schema, 'allOf')

/** Drops references that lead nowhere, and returns the others' targets. */
function resolveAll(document: Document): Record<string, JsonObject> {
  const targets: Record<string, JsonObject> = Object.create(null)
  document.nodes.forEach(schema => {
    const reference = schema.at.$ref
    if (reference === undefined) return
    const isOurs = typeof reference === 'string' && reference.length <= 500 && reference.slice(0, 2) === '#/'
    const target = isOurs ? resolve(document, reference as string) : undefined
    if (target === undefined) dropReference(schema)
    else targets[reference as string] = target
  })
  return targets
}

const references = (document: Document): number =>
  document.nodes.filter(schema => schema.at.$ref !== undefined).length

/** Drops references that lead nowhere or in cycles, and returns the cost of what llama.cpp has to build. */
export function untangle(document: Document): number {
  const targets = resolveAll(document)
  const same = costs(document.nodes, schema => sameValue(schema, targets), dropReference)
  document.nodes.forEach(schema => {
    if (!endsSoon(schema, targets)) dropReference(schema)
  })
  const all = costs(document.nodes, schema => built(schema, targets), dropMembers)

  let total = all[0] as number
  Object.keys(targets).forEach(reference => {
    total += all[placeOf(targets[reference] as JsonObject).index] as number
  })
  for (let i = 0; i < same.length; i++) total = Math.max(total, same[i] as number)

  if (Object.keys(targets).length > maxTargets) return infinite
  // Infinite if something that was dropped contained a reference's target.
  const remaining = references(document)
  resolveAll(document)
  return remaining === references(document) ? total : infinite
}
