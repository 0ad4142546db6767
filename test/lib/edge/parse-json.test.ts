import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeJson } from '../../../lib/edge/json.ts'
import { parseJson } from '../../../lib/edge/parse-json.ts'

const limits = { levels: 5, values: 1000, keys: 20 }

const written = (text: string) => {
  const parsed = parseJson(text, limits)
  return 'value' in parsed ? writeJson(parsed.value) : `${parsed.problem} @${parsed.position}`
}

it.each([
  ['{}', '{}'],
  [' [ ] ', '[]'],
  ['\r\n{\t"a"\r:\n\t1 \t}\r\n', '{"a":1}'],
  ['9007199254740991', '9007199254740991'],
  ['\ufeff1', '1'],
  ['{"a":[1,-0.5,1e3,true,false,null,"x"]}', '{"a":[1,-0.5,1000,true,false,null,"x"]}'],
  ['"\\u00e9\\n\\/\\ud83d\\ude00\\\\ud800"', '"é\\n/😀\\\\ud800"'],
  ['"\\\\ude00\\ud83d\\ude00\\\\\\\\ud83d"', '"\\\\ude00😀\\\\\\\\ud83d"'],
  // The last of two values.
  ['{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'],
  // In the original order.
  ['{"b":1,"2":1,"1":1}', '{"b":1,"2":1,"1":1}'],
  ['{"__proto__":{"x":1},"constructor":1}', '{"__proto__":{"x":1},"constructor":1}'],
  ['[9007199254740993,-123456789012345678901234]', '[9007199254740993,-123456789012345678901234]'],
  ['"\\u0000"', '"\\u0000"'],
  ['[[[[[]]]]]', '[[[[[]]]]]'],
])('reads %s', (text, expected) => {
  expect(written(text)).toBe(expected)
})

it.each([
  ['', 'unexpected end of input @0'],
  ['\u00a01', 'unexpected character where a value belongs @0'],
  ['1\ufeff', 'unexpected content after the value @1'],
  ['{"a":1', 'unexpected end of input @6'],
  ['{"a":1,}', 'expected a key in double quotes @7'],
  ["{'a':1}", 'expected a key in double quotes @1'],
  ['{"a" 1}', 'expected a colon @5'],
  ['[1 2]', 'expected a comma @3'],
  ['[1,]', 'unexpected character where a value belongs @3'],
  ['[}', 'unexpected character where a value belongs @1'],
  ['{"a":}', 'unexpected character where a value belongs @5'],
  ['{]', 'expected a key in double quotes @1'],
  ['{} {}', 'unexpected content after the value @3'],
  ['NaN', 'unexpected character where a value belongs @0'],
  ['[01]', 'expected a comma @2'],
  ['[+1]', 'unexpected character where a value belongs @1'],
  ['[1e999]', 'number too large @6'],
  [`[${'1'.repeat(500)}]`, 'number too large @42'],
  ['"abc', 'unterminated string @0'],
  ['"abc\\"', 'unterminated string @0'],
  ['"a\nb"', 'unescaped control character in a string @0'],
  ['"\\x41"', 'unknown escape sequence @0'],
  ['"\\u12G4"', 'unknown escape sequence @0'],
  ['"\\ud800"', 'lone surrogate (\\ud800 to \\udfff), which is not a character @0'],
  ['"\\ude00\\ud83d"', 'lone surrogate (\\ud800 to \\udfff), which is not a character @0'],
  ['"\\ud83d\\\\\\ude00"', 'lone surrogate (\\ud800 to \\udfff), which is not a character @0'],
  ['"\\ud83d \\ude00"', 'lone surrogate (\\ud800 to \\udfff), which is not a character @0'],
  ['"\\ud83d\\ude00\\ude00"', 'lone surrogate (\\ud800 to \\udfff), which is not a character @0'],
  ['"\\ud83d\\u0041"', 'lone surrogate (\\ud800 to \\udfff), which is not a character @0'],
  ['{"\\udfff":1}', 'lone surrogate (\\ud800 to \\udfff), which is not a character @1'],
  ['[[[[[[1]]]]]]', 'nested more than 5 levels deep @5'],
  [`[${'1,'.repeat(1000)}1]`, 'more than 1000 values @1999'],
  [`{${Array.from({ length: 21 }, (_, i) => `"${i}":1`)}}`, 'more than 20 keys in one object @131'],
])('refuses %s', (text, expected) => {
  expect(written(text)).toBe(expected)
})

describe('compared with JSON.parse', () => {
  const wide = { levels: 100, values: 1e6, keys: 1e6 }

  it('accepts the same values', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const parsed = parseJson(JSON.stringify(value, null, 1), wide)
        expect('value' in parsed && JSON.parse(writeJson(parsed.value))).toEqual(
          JSON.parse(JSON.stringify(value)),
        )
      }),
    )
  })

  it('accepts and refuses the same texts', () => {
    const pieces = fc.constantFrom(...'{}[]:,"\\ \n'.split(''), '"a"', '1', '-', 'true', 'null', '\\u0041')
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), found => {
        const text = found.join('')
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        expect('value' in parseJson(text, wide)).toBe(isJson)
      }),
      { numRuns: 20_000 },
    )
  })
})
