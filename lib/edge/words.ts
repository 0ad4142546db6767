/** What a request's author reads: what was got, short and on one line, and what is taken. */
import { type Rule, unbounded, type Variant } from '../appliance/requests/rules.ts'
import { isList, isLongInteger, isObject, type Json } from './json.ts'

const longest = 40

/** A client's text in a message: short, without control characters. */
export const clean = (text: string): string => text.slice(0, longest).replace(/[^ -~]/g, '?')

/** What was got. */
export function shown(value: Json | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (isList(value)) return 'an array'
  if (isLongInteger(value)) return clean(value.digits)
  if (isObject(value)) return 'an object'
  if (typeof value !== 'string') return String(value)
  const more = value.length - longest
  return `"${clean(value)}"${more > 0 ? ` and ${more} more characters` : ''}`
}

export const quoted = (values: string[]): string => values.map(value => `"${value}"`).join(', ')

/** The variants that a request may name. */
export const namesOf = (variants: Record<string, Variant>): string[] =>
  Object.keys(variants)
    .filter(name => 'fields' in (variants[name] as Variant))
    .sort()

/** What is taken. */
export function takes(rule: Rule): string {
  switch (rule.is) {
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `a whole number from ${rule.min} to ${rule.max}`
    case 'number':
      return `a number from ${rule.min} to ${rule.max}`
    case 'only':
      return `only ${rule.value}`
    case 'text':
      if (rule.oneOf !== undefined) return `one of ${quoted(rule.oneOf)}`
      return rule.max >= unbounded ? 'a string' : `a string of at most ${rule.max} characters`
    case 'list':
      return `an array of at most ${rule.max}`
    case 'either':
      return rule.of.map(takes).join(', or ')
    case 'null':
      return 'null'
    case 'arguments':
      return 'JSON in a string'
    case 'prompt':
      return 'one string, or one array of tokens'
    case 'image':
      return 'a data: URL with an image in base64'
    case 'anything':
      return 'anything'
    case 'refused':
      return 'nothing'
    default:
      return 'an object'
  }
}

/** What somebody reads who names another model: names by which the served one may be called are no models here. */
export const noSuchModel = (name: Json | undefined, models: string[]): string =>
  `There is no model ${shown(name)} here; there is "${models[0]}".`
