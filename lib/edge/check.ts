/** A value held against its rule: what is named is kept, what is not is left out, what is out of range is said. */
import type { Fields, Rule, Variant } from '../appliance/requests/rules.ts'
import { hasOwn, isList, isLongInteger, isObject, type Json, type JsonObject, object, put } from './json.ts'
import type { Limits } from './parse-json.ts'
import { cleanSchema } from './schema.ts'
import { isImage, isJson, onePrompt } from './texts.ts'
import { clean, namesOf, quoted, shown, takes } from './words.ts'

/** What the answers to the rules depend on, and what one request has left. */
export type Circumstances = { readsImages: boolean; limits: Limits; budget: { schemas: number } }
export type Problem = { field: string; message: string }
/** Left out: `undefined`. */
export type Checked = { value: Json | undefined } | { problem: Problem }

const problem = (field: string, message: string): Checked => ({
  problem: { field: field, message: `${field}: ${message}` },
})
const wrong = (field: string, value: Json | undefined, takes: string): Checked =>
  problem(field, `got ${shown(value)}; takes ${takes}`)
const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

/** Whether a rule is about values of this kind. */
function isAbout(rule: Rule, value: Json): boolean {
  switch (rule.is) {
    case 'anything':
    case 'refused':
      return true
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
    case 'number':
      return typeof value === 'number' || isLongInteger(value)
    case 'only':
      return typeof value === typeof rule.value
    case 'text':
    case 'arguments':
    case 'image':
      return typeof value === 'string'
    case 'prompt':
      return typeof value === 'string' || isList(value)
    case 'list':
      return isList(value)
    case 'null':
      return value === null
    case 'either':
      return rule.of.some(one => isAbout(one, value))
    default:
      return isObject(value)
  }
}

const isEmpty = (value: Json): boolean =>
  value === null ||
  value === '' ||
  (isList(value) ? value.length === 0 : isObject(value) && value.keys.length === 0)

/** The first that is about values of this kind. */
function chosen(rules: Rule[], value: Json): Rule | undefined {
  for (let i = 0; i < rules.length; i++) if (isAbout(rules[i] as Rule, value)) return rules[i]
  return undefined
}

function check(value: Json, given: Rule, path: string, now: Circumstances): Checked {
  const rule = given.is === 'either' ? (chosen(given.of, value) ?? given) : given
  if (!isAbout(rule, value)) return wrong(path, value, takes(rule))
  const keep = (isRight: boolean): Checked => (isRight ? { value: value } : wrong(path, value, takes(rule)))
  switch (rule.is) {
    case 'integer':
      return keep(Number.isInteger(value) && (value as number) >= rule.min && (value as number) <= rule.max)
    case 'number':
      return keep((value as number) >= rule.min && (value as number) <= rule.max)
    case 'only':
      return keep(value === rule.value)
    case 'text':
      return keep((value as string).length <= rule.max && (rule.oneOf?.indexOf(value as string) ?? 0) !== -1)
    case 'arguments':
      // Some clients send nothing for no arguments, which no template can parse.
      if (value === '') return { value: '{}' }
      return keep(isJson(value as string, now.limits))
    case 'image':
      return keep(isImage(value as string))
    case 'prompt': {
      const prompt = onePrompt(value)
      return prompt === undefined ? wrong(path, value, takes(rule)) : { value: prompt }
    }
    case 'schema': {
      const cleaned = cleanSchema(value, path, now.budget)
      return 'value' in cleaned ? cleaned : { problem: { field: path, message: cleaned.message } }
    }
    case 'refused':
      return isEmpty(value) ? { value: undefined } : problem(path, `not taken here: ${rule.why}`)
    case 'list':
      return checkList(value as Json[], rule, path, now)
    case 'map':
      return checkMap(value as JsonObject, rule, path, now)
    case 'object':
      return checkFields(value as JsonObject, rule.fields, path, now)
    case 'variant':
      return checkVariant(value as JsonObject, rule, path, now)
    default:
      return { value: value }
  }
}

function checkList(values: Json[], rule: Rule & { is: 'list' }, path: string, now: Circumstances): Checked {
  if (values.length > rule.max) return problem(path, `got an array of ${values.length}; takes ${takes(rule)}`)
  const kept: Json[] = []
  for (let i = 0; i < values.length; i++) {
    const checked = check(values[i] as Json, rule.of, `${path}[${i}]`, now)
    if ('problem' in checked) return checked
    if (checked.value !== undefined) kept.push(checked.value)
  }
  return { value: kept }
}

function checkMap(given: JsonObject, rule: Rule & { is: 'map' }, path: string, now: Circumstances): Checked {
  if (given.keys.length > rule.max) {
    return problem(path, `got ${given.keys.length} keys; takes at most ${rule.max}`)
  }
  const kept = object()
  for (let i = 0; i < given.keys.length; i++) {
    const key = given.keys[i] as string
    if (rule.keys === 'digits' && !/^[0-9]{1,9}$/.test(key)) {
      return problem(path, `got the key ${shown(key)}; takes keys that are token numbers`)
    }
    const checked = check(given.at[key] as Json, rule.of, below(path, clean(key)), now)
    if ('problem' in checked) return checked
    if (checked.value !== undefined) put(kept, key, checked.value)
  }
  return { value: kept }
}

/** The variant of this name, or the one whose name with `*` fits. */
function variantOf(variants: Record<string, Variant>, name: Json | undefined): Variant | undefined {
  if (typeof name !== 'string') return undefined
  if (hasOwn(variants, name) && name.indexOf('*') === -1) return variants[name]
  const fitting = Object.keys(variants).filter(pattern => {
    const star = pattern.indexOf('*')
    const end = pattern.slice(star + 1)
    return (
      star !== -1 &&
      name.slice(0, star) === pattern.slice(0, star) &&
      name.slice(name.length - end.length) === end
    )
  })
  return fitting[0] === undefined ? undefined : variants[fitting[0]]
}

function checkVariant(
  given: JsonObject,
  rule: Rule & { is: 'variant' },
  path: string,
  now: Circumstances,
): Checked {
  const name = given.at[rule.by] ?? rule.otherwise
  const field = below(path, rule.by)
  const variant = variantOf(rule.variants, name)
  if (variant === undefined)
    return wrong(field, given.at[rule.by], `one of ${quoted(namesOf(rule.variants))}`)
  if ('leftOut' in variant) return { value: undefined }
  if ('refused' in variant) return problem(field, `got ${shown(name)}; ${variant.refused}`)
  if ('needs' in variant && !now.readsImages)
    return problem(field, `got ${shown(name)}; the model reads no images`)
  if ('leftOutWithout' in variant && isEmpty(given.at[variant.leftOutWithout] ?? null))
    return { value: undefined }
  if (given.at[rule.by] === undefined && hasOwn(variant.fields, rule.by)) put(given, rule.by, name as string)
  return checkFields(given, variant.fields, path, now)
}

/** An object with only the fields that are named. */
export function checkFields(given: JsonObject, fields: Fields, path: string, now: Circumstances): Checked {
  const kept = object()
  for (let i = 0; i < given.keys.length; i++) {
    const key = given.keys[i] as string
    const rule = hasOwn(fields, key) ? (fields[key] as Rule) : undefined
    const value = given.at[key] as Json
    if (rule === undefined || (value === null && !takesNull(rule))) continue
    const checked = check(value, rule, below(path, key), now)
    if ('problem' in checked) return checked
    if (checked.value !== undefined) put(kept, key, checked.value)
  }
  const missing = missingIn(kept, fields)
  if (missing === undefined) return { value: kept }
  return problem(below(path, missing), `missing; takes ${takes(fields[missing] as Rule)}`)
}

/** The first by name: nginx's JavaScript has an order of its own. */
function missingIn(kept: JsonObject, fields: Fields): string | undefined {
  let first: string | undefined
  for (const name in fields) {
    const isMissing = fields[name]?.isRequired === true && kept.at[name] === undefined
    if (isMissing && (first === undefined || name < first)) first = name
  }
  return first
}

const takesNull = (rule: Rule): boolean =>
  rule.is === 'null' || rule.is === 'anything' || (rule.is === 'either' && rule.of.some(takesNull))
