/** Checks a value against its rule: known fields are kept, unknown ones dropped, invalid values reported. */
import type { Fields, Rule } from '../appliance/requests/rules.ts'
import { hasOwn, type Json, type JsonObject, object, put } from './json.ts'
import { describeRule, describeValue, quotedList, variantNames } from './messages.ts'
import { type JsonLimits, parseJson } from './parse-json.ts'
import { matches } from './patterns.ts'
import { appliesTo, chosen, isEmpty, takesNull, variantOf } from './rule-choice.ts'
import { cleanSchema } from './schema.ts'
import { isImage, isToken, onePrompt } from './value-formats.ts'

/** What checks depend on besides the rules; `budget` is what remains for this request. */
export type CheckContext = {
  readsImages: boolean
  /** Number of tokens in the model's vocabulary; their IDs start at 0. */
  vocabulary: number
  limits: JsonLimits
  budget: { schemas: number; values: number }
}
export type FieldProblem = { field: string; message: string }
/** An undefined value is dropped. */
export type Checked = { value: Json | undefined } | { problem: FieldProblem }

const problem = (field: string, message: string): Checked => ({
  problem: { field: field, message: `${field}: ${message}` },
})
const wrong = (field: string, value: Json | undefined, expected: string): Checked =>
  problem(field, `expected ${expected}, got ${describeValue(value)}`)
const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

function check(value: Json, given: Rule, path: string, context: CheckContext): Checked {
  const rule = given.is === 'either' ? (chosen(given.of, value) ?? given) : given
  if (!appliesTo(rule, value)) return wrong(path, value, describeRule(rule))
  const keep = (isRight: boolean): Checked =>
    isRight ? { value: value } : wrong(path, value, describeRule(rule))
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
      return checkArguments(value as string, rule, path, context)
    case 'image':
      return keep(isImage(value as string))
    case 'token':
      return isToken(value, context.vocabulary)
        ? { value: value }
        : wrong(path, value, describeRule(rule, context.vocabulary))
    case 'prompt': {
      const prompt = onePrompt(value, context.vocabulary)
      return prompt === undefined
        ? wrong(path, value, describeRule(rule, context.vocabulary))
        : { value: prompt }
    }
    case 'schema': {
      const cleaned = cleanSchema(value, path, context.budget)
      return 'value' in cleaned ? cleaned : { problem: { field: path, message: cleaned.message } }
    }
    case 'refused':
      return isEmpty(value) ? { value: undefined } : problem(path, `not supported: ${rule.why}`)
    case 'list':
      return checkList(value as Json[], rule, path, context)
    case 'map':
      return checkMap(value as JsonObject, rule, path, context)
    case 'object':
      return checkFields(value as JsonObject, rule.fields, path, context)
    case 'variant':
      return checkVariant(value as JsonObject, rule, path, context)
    default:
      return { value: value }
  }
}

/**
 * A tool call's arguments, which llama-server parses, too. Their values count towards one limit in the whole request:
 * otherwise each of thousands of calls could have as many as a request.
 */
function checkArguments(text: string, rule: Rule, path: string, context: CheckContext): Checked {
  // Some clients send an empty string for no arguments, which chat templates cannot parse.
  if (text === '') return { value: '{}' }
  const limits = context.limits
  const parsed = parseJson(text, { levels: limits.levels, keys: limits.keys, values: context.budget.values })
  if ('values' in parsed) {
    context.budget.values -= parsed.values
    return { value: text }
  }
  return matches(parsed.problem, /^more than [0-9]+ values$/)
    ? problem(path, `the arguments of all calls have more than ${limits.values} values`)
    : wrong(path, text, describeRule(rule))
}

function checkList(
  values: Json[],
  rule: Rule & { is: 'list' },
  path: string,
  context: CheckContext,
): Checked {
  if (values.length > rule.max) return problem(path, `expected ${describeRule(rule)}, got ${values.length}`)
  const kept: Json[] = []
  for (let i = 0; i < values.length; i++) {
    const checked = check(values[i] as Json, rule.of, `${path}[${i}]`, context)
    if ('problem' in checked) return checked
    if (checked.value !== undefined) kept.push(checked.value)
  }
  return { value: kept }
}

function checkMap(
  given: JsonObject,
  rule: Rule & { is: 'map' },
  path: string,
  context: CheckContext,
): Checked {
  if (given.keys.length > rule.max) {
    return problem(path, `expected an object of at most ${rule.max} keys, got ${given.keys.length}`)
  }
  const kept = object()
  for (let i = 0; i < given.keys.length; i++) {
    const key = given.keys[i] as string
    if (rule.keys === 'digits' && !matches(key, /^[0-9]{1,9}$/)) {
      return problem(path, `expected token numbers as keys, got ${describeValue(key)}`)
    }
    const checked = check(given.at[key] as Json, rule.of, below(path, key), context)
    if ('problem' in checked) return checked
    if (checked.value !== undefined) put(kept, key, checked.value)
  }
  return { value: kept }
}

function checkVariant(
  given: JsonObject,
  rule: Rule & { is: 'variant' },
  path: string,
  context: CheckContext,
): Checked {
  const name = given.at[rule.by] ?? rule.otherwise
  const field = below(path, rule.by)
  const variant = variantOf(rule.variants, name)
  if (variant === undefined)
    return wrong(field, given.at[rule.by], `one of ${quotedList(variantNames(rule.variants))}`)
  if ('leftOut' in variant) return { value: undefined }
  if ('refused' in variant)
    return problem(field, `${describeValue(name)} is not supported: ${variant.refused}`)
  if ('needs' in variant && !context.readsImages)
    return problem(field, `${describeValue(name)} is not supported: the model does not accept images`)
  if ('leftOutWithout' in variant && isEmpty(given.at[variant.leftOutWithout] ?? null))
    return { value: undefined }
  if ((given.at[rule.by] ?? null) === null && hasOwn(variant.fields, rule.by)) {
    put(given, rule.by, name as string)
  }
  return checkFields(given, variant.fields, path, context)
}

/** The object with its known fields only. */
export function checkFields(given: JsonObject, fields: Fields, path: string, context: CheckContext): Checked {
  const kept = object()
  for (let i = 0; i < given.keys.length; i++) {
    const key = given.keys[i] as string
    const rule = hasOwn(fields, key) ? (fields[key] as Rule) : undefined
    const value = given.at[key] as Json
    if (rule === undefined || (value === null && !takesNull(rule))) continue
    const checked = check(value, rule, below(path, key), context)
    if ('problem' in checked) return checked
    if (checked.value !== undefined) put(kept, key, checked.value)
  }
  const missing = missingIn(kept, fields)
  if (missing === undefined) return { value: kept }
  return problem(below(path, missing), `missing; expected ${describeRule(fields[missing] as Rule)}`)
}

/** The first missing field in alphabetical order: njs and V8 enumerate keys differently. */
function missingIn(kept: JsonObject, fields: Fields): string | undefined {
  let first: string | undefined
  for (const name in fields) {
    const isMissing = fields[name]?.isRequired === true && kept.at[name] === undefined
    if (isMissing && (first === undefined || name < first)) first = name
  }
  return first
}
