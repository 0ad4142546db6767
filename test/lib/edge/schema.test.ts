import { describe, expect, it } from 'vitest'
import { writeJson } from '../../../lib/edge/json.ts'
import { parseJson } from '../../../lib/edge/parse-json.ts'
import { cleanSchema, maxSchemas } from '../../../lib/edge/schema.ts'

const limits = { levels: 64, values: 1e6, keys: 1000 }

function cleaned(schema: unknown): unknown {
  const parsed = parseJson(JSON.stringify(schema), limits)
  if ('problem' in parsed) throw new Error(parsed.problem)
  const result = cleanSchema(parsed.value, 'parameters', { schemas: maxSchemas })
  return 'value' in result ? JSON.parse(writeJson(result.value)) : result.message
}

const nested = (depth: number, inner: (below: unknown) => unknown): unknown =>
  depth === 0 ? {} : inner(nested(depth - 1, inner))

describe('ordinary schemas of clients stay unchanged', () => {
  it.each([
    {},
    {
      type: 'object',
      properties: {},
      additionalProperties: false,
      $schema: 'https://json-schema.org/draft-07',
    },
    {
      type: 'object',
      properties: {
        path: {
          type: 'string',
          description: 'Where.',
          minLength: 1,
          maxLength: 500,
          pattern: '^[a-z0-9_-]+$',
        },
        lines: { type: 'integer', minimum: 1, maximum: 2000, default: 10 },
        count: { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 },
        ratio: { type: 'number', exclusiveMinimum: 0, multipleOf: 0.1 },
        mode: { enum: ['a', 'b', null, 1] },
        kind: { const: 'x' },
        when: { type: 'string', format: 'date-time' },
        link: { type: 'string', format: 'uri', pattern: 'https?://.+' },
        many: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 100, uniqueItems: true },
        pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] },
        maybe: { type: ['string', 'null'] },
        either: { anyOf: [{ type: 'string' }, { $ref: '#/$defs/tree' }] },
        free: { type: 'object', additionalProperties: { type: 'string' }, propertyNames: { pattern: '^a' } },
        not: { not: { type: 'string' }, if: {}, else: {} },
      },
      required: ['path'],
      $defs: {
        tree: { type: 'object', properties: { below: { type: 'array', items: { $ref: '#/$defs/tree' } } } },
      },
    },
    // How zod-to-json-schema writes a repeated schema.
    {
      type: 'object',
      properties: { a: { type: 'object', properties: { x: {} } }, b: { $ref: '#/properties/a' } },
    },
    {
      $ref: '#/definitions/Args',
      definitions: { Args: { type: 'object', properties: { a: { type: 'string' } } } },
    },
    {
      allOf: [{ type: 'object', properties: { a: {} } }, { $ref: '#/$defs/b' }],
      $defs: { b: { type: 'object' } },
    },
  ])('%j', schema => {
    expect(cleaned(schema)).toEqual(schema)
  })
})

describe('what llama-server cannot take is loosened', () => {
  it.each([
    [{ properties: { a: true, b: false, c: null, d: 'x' } }, { properties: { a: {}, b: {}, c: {}, d: {} } }],
    [{ properties: [] }, { properties: {} }],
    [{ properties: 'x' }, {}],
    [{ items: true }, { items: {} }],
    [{ type: 'any' }, {}],
    [{ type: [] }, {}],
    [{ type: ['string', 'string', 'file', 'null'] }, { type: ['string', 'null'] }],
    [{ type: 3, enum: [], anyOf: [], oneOf: {}, allOf: null, format: 1, pattern: {} }, {}],
    [{ enum: Array.from({ length: 501 }, (_, i) => i) }, {}],
    [{ minLength: -1, maxLength: 10_000_000 }, {}],
    [{ minItems: 5, maxItems: 3 }, {}],
    [{ minItems: 1.5, maxItems: '3' }, {}],
    [{ minimum: 1e15 }, {}],
    [{ minimum: -1e16, maximum: 0 }, { maximum: 0 }],
    [{ minimum: 5, maximum: 3 }, {}],
    [{ exclusiveMinimum: 0, exclusiveMaximum: 1, type: 'integer' }, { type: 'integer' }],
    [{ minimum: 1, exclusiveMinimum: true }, { minimum: 1 }],
    [{ additionalProperties: 'x' }, {}],
    [
      { properties: { 'page[size]': {} }, additionalProperties: {} },
      { properties: { 'page[size]': {} }, additionalProperties: false },
    ],
    [
      { properties: { 'a\u0000': {} }, additionalProperties: true },
      { properties: { 'a\u0000': {} }, additionalProperties: false },
    ],
    // How pydantic writes a reference with a description.
    [
      { properties: { a: { allOf: [{ $ref: '#/$defs/a' }], description: 'x' } }, $defs: { a: {} } },
      { properties: { a: { description: 'x', $ref: '#/$defs/a' } }, $defs: { a: {} } },
    ],
    [{ allOf: [{ allOf: [{ allOf: [{ type: 'string' }] }] }] }, { type: 'string' }],
    // References that lead nowhere, out of the document, or to something that is not a schema.
    [
      { properties: { a: { $ref: '#/$defs/no', description: 'x' } } },
      { properties: { a: { description: 'x' } } },
    ],
    [{ $ref: 'https://example.com/schema.json' }, {}],
    [{ $ref: '#' }, {}],
    [{ $ref: { a: 1 } }, {}],
    [
      { $ref: '#/default', default: { allOf: [{ $ref: '#/default' }] } },
      { default: { allOf: [{ $ref: '#/default' }] } },
    ],
    // Circular references.
    [
      { allOf: [{ $ref: '#/definitions/a' }], definitions: { a: { $ref: '#/definitions/a' } } },
      { $ref: '#/definitions/a', definitions: { a: {} } },
    ],
    [
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: {} } },
    ],
    [
      { $ref: '#/$defs/a', $defs: { a: { anyOf: [{ type: 'string' }, { $ref: '#/$defs/a' }] } } },
      { $ref: '#/$defs/a', $defs: { a: { anyOf: [{ type: 'string' }, {}] } } },
    ],
    // llama.cpp builds each member's properties again.
    [
      {
        $ref: '#/$defs/a',
        $defs: { a: { type: 'object', properties: { x: { allOf: [{ $ref: '#/$defs/a' }, {}] } } } },
      },
      { $ref: '#/$defs/a', $defs: { a: { type: 'object', properties: { x: {} } } } },
    ],
  ])('%j', (schema, expected) => {
    expect(cleaned(schema)).toEqual(expected)
  })

  it.each([
    ['^[a-z]+$', true],
    ['^v\\.[0-9]{1,3}(\\.[0-9]+)?$', false],
    ['^(a*)*$', false],
    ['^\\d+$', false],
    ['^[z-a]$', false],
    ['^a{5,3}$', false],
    ['^a{9999}$', false],
    ['^*$', false],
    ['^"$', false],
    ['^[^a]$', false],
    [`^${'('.repeat(60_000)}$`, false],
    ['(', true],
    ['^', true],
    ['.*', true],
  ])('the pattern %.20s stays unchanged: %s', (pattern, isKept) => {
    expect(cleaned({ pattern })).toEqual({ pattern: isKept ? pattern : `(?:${pattern})` })
  })
})

describe('schemas that are too large are refused', () => {
  const chained = (depth: number, link: (next: string) => unknown) => ({
    $ref: '#/$defs/a0',
    $defs: Object.fromEntries(
      Array.from({ length: depth + 1 }, (_, i) => [`a${i}`, i < depth ? link(`#/$defs/a${i + 1}`) : {}]),
    ),
  })

  it.each([
    [
      'nested members of an object or a string',
      nested(25, below => ({ type: ['object', 'string'], allOf: [below, {}] })),
    ],
    [
      'merged members',
      chained(25, $ref => ({ type: 'object', properties: { x: { allOf: [{ $ref }, { $ref }] } } })),
    ],
    ['references to alternatives', chained(25, $ref => ({ anyOf: [{ $ref }, { $ref }] }))],
    [
      'optional properties, with required names that are no properties',
      {
        properties: Object.fromEntries(
          Array.from({ length: 5 }, (_, n) => [
            `o${n}`,
            {
              properties: Object.fromEntries(Array.from({ length: 240 }, (_, i) => [`p${i}`, {}])),
              required: Array.from({ length: 240 }, (_, i) => `q${i}`),
            },
          ]),
        ),
      },
    ],
    [
      'thousands of optional properties',
      nested(10, below => ({
        properties: Object.fromEntries(
          Array.from({ length: 240 }, (_, i) => [`p${i}`, i === 0 ? below : {}]),
        ),
      })),
    ],
  ])('%s', (_, schema) => {
    expect(cleaned(schema)).toBe(
      'parameters: too large: with its references it exceeds the 20000 schemas that a request may contain',
    )
  })

  it.each([
    [
      { properties: { ['x'.repeat(129)]: {} } },
      'parameters.properties: expected names of at most 128 characters',
    ],
    [
      { properties: Object.fromEntries(Array.from({ length: 251 }, (_, i) => [`p${i}`, {}])) },
      'parameters.properties: expected at most 250, got 251',
    ],
    [{ anyOf: Array(501).fill({}) }, 'parameters.anyOf: expected at most 500, got 501'],
  ])('%.40j', (schema, message) => {
    expect(cleaned(schema)).toBe(message)
  })
})
