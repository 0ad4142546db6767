/** Parts of messages about a request's values: what was expected and what was received, in a few words. */
import { type Rule, unbounded, type Variant } from '../appliance/requests/rules.ts'
import { isList, isLongInteger, isObject, type Json } from './json.ts'

/** Characters of a client's text that are quoted. */
const maxQuoted = 40

/** A client's text, as quoted in messages: short, printable ASCII only. */
const printable = (text: string): string => text.slice(0, maxQuoted).replace(/[^ -~]/g, '?')

/** A received value, in a few words. */
export function describeValue(value: Json | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (isList(value)) return 'an array'
  if (isLongInteger(value)) return printable(value.digits)
  if (isObject(value)) return 'an object'
  if (typeof value !== 'string') return String(value)
  const more = value.length - maxQuoted
  return `"${printable(value)}"${more > 0 ? ` and ${more} more characters` : ''}`
}

export const quotedList = (values: string[]): string => values.map(value => `"${value}"`).join(', ')

/** The names of the variants that are accepted. */
export const variantNames = (variants: Record<string, Variant>): string[] =>
  Object.keys(variants)
    .filter(name => 'fields' in (variants[name] as Variant))
    .sort()

/** What a rule expects. `vocabulary`: the number of tokens, if known. */
export function describeRule(rule: Rule, vocabulary?: number): string {
  const tokens = vocabulary === undefined ? '' : ` from 0 to ${vocabulary - 1}`
  switch (rule.is) {
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `a whole number from ${rule.min} to ${rule.max}`
    case 'number':
      return `a number from ${rule.min} to ${rule.max}`
    case 'only':
      return String(rule.value)
    case 'text':
      if (rule.oneOf !== undefined) return `one of ${quotedList(rule.oneOf)}`
      return rule.max >= unbounded ? 'a string' : `a string of at most ${rule.max} characters`
    case 'list':
      return `an array of at most ${rule.max} items`
    case 'either':
      return rule.of.map(one => describeRule(one, vocabulary)).join(', or ')
    case 'null':
      return 'null'
    case 'arguments':
      return 'a string that contains valid JSON'
    case 'prompt':
      return `one string, or one array of tokens${tokens}`
    case 'token':
      return `a token${tokens}`
    case 'image':
      return 'a data: URL with a Base64-encoded image'
    case 'anything':
      return 'anything'
    case 'refused':
      return 'nothing'
    default:
      return 'an object'
  }
}

/** For a request for a model that is not running. Aliases are not listed, since they name the same model. */
export const unknownModelMessage = (name: Json | undefined, models: string[]): string =>
  `Unknown model ${describeValue(name)}: this server runs "${models[0]}".`
