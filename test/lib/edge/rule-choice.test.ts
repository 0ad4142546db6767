/** Which rule applies to which value, and which variant to which name. */
import { expect, it } from 'vitest'
import type { Rule, Variant } from '../../../lib/appliance/requests/rules.ts'
import { parseJson } from '../../../lib/edge/parse-json.ts'
import { appliesTo, chosen, isEmpty, takesNull, variantOf } from '../../../lib/edge/rule-choice.ts'

const json = (value: unknown) => {
  const parsed = parseJson(JSON.stringify(value), { levels: 9, values: 9, keys: 9 })
  if ('problem' in parsed) throw new Error(parsed.problem)
  return parsed.value
}
const rule = (is: string, more = {}) => ({ is, ...more }) as unknown as Rule
const values = [true, 1, 'a', [], {}, null]

it.each<[Rule, unknown[]]>([
  [rule('anything'), values],
  [rule('refused'), values],
  [rule('boolean'), [true]],
  [rule('integer'), [1]],
  [rule('number'), [1]],
  [rule('token'), [1]],
  [rule('only', { value: 1 }), [1]],
  [rule('only', { value: 'b' }), ['a']],
  [rule('text'), ['a']],
  [rule('arguments'), ['a']],
  [rule('image'), ['a']],
  [rule('prompt'), ['a', []]],
  [rule('list'), [[]]],
  [rule('object'), [{}]],
  [rule('null'), [null]],
  [rule('either', { of: [rule('text'), rule('list')] }), ['a', []]],
])('the rule %j applies to %j', (given, expected) => {
  expect(values.filter(value => appliesTo(given, json(value)))).toEqual(expected)
})

it('chooses the first of several rules', () => {
  const [text, prompt] = [rule('text'), rule('prompt')]
  expect(chosen([text, prompt], 'a')).toBe(text)
  expect(chosen([text, prompt], json([]))).toBe(prompt)
  expect(chosen([text, prompt], 1)).toBeUndefined()
})

const variant = (name: string) => ({ name }) as unknown as Variant
const variants = Object.fromEntries(
  ['text', 'image*', 'computer_*_tool', '*_end'].map(name => [name, variant(name)]),
)

it.each([
  ['text', 'text'],
  ['text_2', undefined],
  ['image', 'image*'],
  ['image_url', 'image*'],
  ['an_image', undefined],
  ['image*', 'image*'],
  ['computer_2025_tool', 'computer_*_tool'],
  ['computer_2025', undefined],
  ['computer_2025_tools', undefined],
  ['my_computer_2025_tool', undefined],
  ['the_end', '*_end'],
  ['constructor', undefined],
  ['', undefined],
  [1, undefined],
  [null, undefined],
  [undefined, undefined],
])('the variant of the name %j: %s', (name, expected) => {
  expect(variantOf(variants, name)).toBe(expected === undefined ? undefined : variants[expected])
})

it.each([
  [null, true],
  ['', true],
  [[], true],
  [{}, true],
  [0, false],
  [false, false],
  ['a', false],
  [[0], false],
  [{ a: 1 }, false],
])('%j says nothing: %s', (value, expected) => {
  expect(isEmpty(json(value))).toBe(expected)
})

it.each<[Rule, boolean]>([
  [rule('null'), true],
  [rule('anything'), true],
  [rule('text'), false],
  [rule('either', { of: [rule('text'), rule('null')] }), true],
  [rule('either', { of: [rule('text'), rule('list')] }), false],
])('%j takes null as a value: %s', (given, expected) => {
  expect(takesNull(given)).toBe(expected)
})
