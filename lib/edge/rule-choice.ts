/** Which rule applies to a value: by its type, or by the name of its variant. */
import type { Rule, Variant } from '../appliance/requests/rules.ts'
import { hasOwn, isList, isLongInteger, isObject, type Json } from './json.ts'

/** Whether a rule applies to values of this type. */
export function appliesTo(rule: Rule, value: Json): boolean {
  switch (rule.is) {
    case 'anything':
    case 'refused':
      return true
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
    case 'number':
    case 'token':
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
      return rule.of.some(one => appliesTo(one, value))
    default:
      return isObject(value)
  }
}

/** The first rule that applies to a value's type. */
export function chosen(rules: Rule[], value: Json): Rule | undefined {
  for (let i = 0; i < rules.length; i++) if (appliesTo(rules[i] as Rule, value)) return rules[i]
  return undefined
}

/** The variant of this name, or the first whose pattern with `*` matches it. */
export function variantOf(variants: Record<string, Variant>, name: Json | undefined): Variant | undefined {
  if (typeof name !== 'string') return undefined
  if (hasOwn(variants, name) && name.indexOf('*') === -1) return variants[name]
  const matching = Object.keys(variants).filter(pattern => {
    const star = pattern.indexOf('*')
    const end = pattern.slice(star + 1)
    return (
      star !== -1 &&
      name.slice(0, star) === pattern.slice(0, star) &&
      name.slice(name.length - end.length) === end
    )
  })
  return matching[0] === undefined ? undefined : variants[matching[0]]
}

/** What clients send for a field that they do not use. */
export const isEmpty = (value: Json): boolean =>
  value === null ||
  value === '' ||
  (isList(value) ? value.length === 0 : isObject(value) && value.keys.length === 0)

/** Whether null is a value of its own, and not a field that is left out. */
export const takesNull = (rule: Rule): boolean =>
  rule.is === 'null' || rule.is === 'anything' || (rule.is === 'either' && rule.of.some(takesNull))
