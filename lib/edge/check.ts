/** A value held against its rule: what the rule names is kept, what it does not name is left out, what it forbids is said. */
import type { Fields, Rule } from '../appliance/request-rules.ts'
import { hasOwn, isList, isLongInteger, isObject, type Json, kindOf, object, put } from './json.ts'
import { checkSchema } from './schema.ts'
import { shown } from './shown.ts'

export type Settings = {
  /** The names that a request may call the model by; the first is the one that is served. */
  models: string[]
  /** Tokens that one conversation may hold. */
  contextSize: number
  readsImages: boolean
}

export type Problem = { path: string; message: string }
/** Left out: `undefined`. */
export type Checked = { value: Json | undefined } | { problem: Problem }

const problem = (path: string, message: string): Checked => ({ problem: { path: path, message: message } })
const wrong = (path: string, value: Json | undefined, takes: string): Checked =>
  problem(path, `${path || 'the request'}: got ${shown(value)}; takes ${takes}`)

/** What a rule takes, in words. */
export function takes(rule: Rule): string {
  switch (rule.is) {
    case 'boolean':
      return 'true or false'
    case 'integer':
    case 'number': {
      const what = rule.is === 'integer' ? 'a whole number' : 'a number'
      return rule.min === rule.max ? `only ${rule.min}` : `${what} from ${rule.min} to ${rule.max}`
    }
    case 'text':
      if (rule.oneOf !== undefined) return `one of ${rule.oneOf.map(value => `"${value}"`).join(', ')}`
      return `a string of at most ${rule.max} characters`
    case 'list':
      return `an array of ${rule.min === undefined ? 'at most' : `${rule.min} to`} ${rule.max}`
    case 'either':
      return rule.of.map(takes).join(', or ')
    case 'null':
      return 'null'
    case 'anything':
      return 'anything'
    default:
      return 'an object'
  }
}

const isNumber = (value: Json) => typeof value === 'number' || isLongInteger(value)

/** Whether a value is of the kind that a rule is about. */
function isOfKind(value: Json, rule: Rule): boolean {
  switch (rule.is) {
    case 'anything':
      return true
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
    case 'number':
      return isNumber(value)
    case 'text':
      return typeof value === 'string'
    case 'list':
      return isList(value)
    case 'null':
      return value === null
    case 'either':
      return rule.of.some(one => isOfKind(value, one))
    default:
      return isObject(value)
  }
}

export function check(value: Json, rule: Rule, path: string, settings: Settings): Checked {
  if (rule.is === 'either') {
    for (let i = 0; i < rule.of.length; i++) {
      const one = rule.of[i] as Rule
      if (isOfKind(value, one)) return check(value, one, path, settings)
    }
    return wrong(path, value, takes(rule))
  }
  if (!isOfKind(value, rule)) return wrong(path, value, takes(rule))
  switch (rule.is) {
    case 'integer':
    case 'number':
      if (typeof value !== 'number' || value < rule.min || value > rule.max)
        return wrong(path, value, takes(rule))
      if (rule.is === 'integer' && !Number.isInteger(value)) return wrong(path, value, takes(rule))
      return { value: value }
    case 'text': {
      const text = value as string
      if (rule.oneOf !== undefined && rule.oneOf.indexOf(text) === -1) return wrong(path, value, takes(rule))
      if (text.length > rule.max) return wrong(path, value, takes(rule))
      return { value: value }
    }
    case 'list':
      return checkList(value as Json[], rule, path, settings)
    case 'object':
      return checkFields(value, rule.fields, path, settings)
    case 'variant':
      return checkVariant(value, rule, path, settings)
    case 'map':
      return checkMap(value, rule, path, settings)
    case 'schema':
      return checkSchema(value, path)
    default:
      return { value: value }
  }
}

function checkList(values: Json[], rule: Rule & { is: 'list' }, path: string, settings: Settings): Checked {
  if (values.length > rule.max || values.length < (rule.min ?? 0)) {
    return problem(path, `${path}: got ${values.length} elements; takes ${takes(rule)}`)
  }
  const kept: Json[] = []
  for (let i = 0; i < values.length; i++) {
    const checked = check(values[i] as Json, rule.of, `${path}[${i}]`, settings)
    if ('problem' in checked) return checked
    if (checked.value !== undefined) kept.push(checked.value)
  }
  return { value: kept }
}

function checkMap(value: Json, rule: Rule & { is: 'map' }, path: string, settings: Settings): Checked {
  const given = isObject(value) ? value : object()
  if (given.keys.length > rule.max) {
    return problem(path, `${path}: got ${given.keys.length} keys; takes at most ${rule.max}`)
  }
  const kept = object()
  for (let i = 0; i < given.keys.length; i++) {
    const key = given.keys[i] as string
    const checked = check(given.at[key] as Json, rule.of, `${path}.${key.slice(0, 40)}`, settings)
    if ('problem' in checked) return checked
    if (checked.value !== undefined) put(kept, key, checked.value)
  }
  return { value: kept }
}

function checkVariant(
  value: Json,
  rule: Rule & { is: 'variant' },
  path: string,
  settings: Settings,
): Checked {
  const given = isObject(value) ? value : object()
  const name = given.at[rule.by] ?? rule.otherwise
  const names = Object.keys(rule.variants).filter(
    one => !('refused' in (rule.variants[one] as object)) && !('leftOut' in (rule.variants[one] as object)),
  )
  const known = typeof name === 'string' && Object.keys(rule.variants).indexOf(name) !== -1
  if (!known) {
    return wrong(`${path}.${rule.by}`, given.at[rule.by], `one of ${names.map(one => `"${one}"`).join(', ')}`)
  }
  const chosen = rule.variants[name as string] as object
  if ('leftOut' in chosen) return { value: undefined }
  if ('refused' in chosen) {
    return problem(`${path}.${rule.by}`, `${path}.${rule.by}: got ${shown(name)}; ${chosen.refused}`)
  }
  if ('needs' in chosen) {
    if (!settings.readsImages) {
      return problem(
        `${path}.${rule.by}`,
        `${path}.${rule.by}: got ${shown(name)}; the model reads no images`,
      )
    }
    return checkFields(value, (chosen as unknown as { fields: Fields }).fields, path, settings)
  }
  return checkFields(value, chosen as Fields, path, settings)
}

/** An object with only the fields that are named. */
export function checkFields(value: Json, fields: Fields, path: string, settings: Settings): Checked {
  const given = isObject(value) ? value : object()
  const kept = object()
  for (let i = 0; i < given.keys.length; i++) {
    const key = given.keys[i] as string
    const rule = hasOwn(fields, key) ? fields[key] : undefined
    const inner = given.at[key] as Json
    if (rule === undefined || (inner === null && !isOfKind(null, rule))) continue
    const checked = check(inner, rule, path === '' ? key : `${path}.${key}`, settings)
    if ('problem' in checked) return checked
    if (checked.value !== undefined) put(kept, key, checked.value)
  }
  const names = Object.keys(fields)
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string
    if (fields[name]?.isRequired && kept.at[name] === undefined) {
      const where = path === '' ? name : `${path}.${name}`
      return problem(where, `${where} is missing; takes ${takes(fields[name] as Rule)}`)
    }
  }
  return { value: kept }
}

export { kindOf }
