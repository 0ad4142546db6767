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

/** Definitions each of which leads to the next. */
const chained = (depth: number, link: (next: string) => unknown) => ({
  $ref: '#/$defs/a0',
  $defs: Object.fromEntries(
    Array.from({ length: depth + 1 }, (_, i) => [`a${i}`, i < depth ? link(`#/$defs/a${i + 1}`) : {}]),
  ),
})

const referenceTo = ($ref: string) => ({ $ref })

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
    // At the limits.
    { minLength: 0, maxLength: 500, minItems: 500, maxItems: 500 },
    { minimum: 3, maximum: 3 },
    { minimum: 0.5, maximum: 1.5 },
    { enum: Array.from({ length: 500 }, (_, i) => i) },
    { anyOf: Array(500).fill({ type: 'null' }) },
    { properties: Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`p${i}`, {}])) },
    { properties: { ['x'.repeat(128)]: {} } },
    // Brackets in names, where llama.cpp describes no additional keys.
    { properties: { 'page[size]': {} } },
    { properties: { 'page[size]': {} }, additionalProperties: false },
    { properties: { a: {} }, additionalProperties: true },
    { $ref: '#/$defs/a', allOf: [{ type: 'string' }], $defs: { a: {} } },
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
    [{ minimum: 0.1, maximum: 0.9 }, {}],
    [{ type: ['string', 3] }, { type: ['string'] }],
    [{ type: 'object', properties: ['x'] }, { type: 'object' }],
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
    [
      { properties: { a: {}, 'b^': {} }, additionalProperties: true },
      { properties: { a: {}, 'b^': {} }, additionalProperties: false },
    ],
    // How pydantic writes a reference with a description.
    [
      { properties: { a: { allOf: [{ $ref: '#/$defs/a' }], description: 'x' } }, $defs: { a: {} } },
      { properties: { a: { description: 'x', $ref: '#/$defs/a' } }, $defs: { a: {} } },
    ],
    [{ allOf: [{ allOf: [{ allOf: [{ type: 'string' }] }] }] }, { type: 'string' }],
    [
      { type: 'string', allOf: [{ type: 'number', title: 'x' }] },
      { type: 'string', title: 'x' },
    ],
    [{ allOf: [true] }, {}],
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
    ['^a{500}$', true],
    ['^a{501}$', false],
    ['^a{1,500}$', true],
    ['^a{1,501}$', false],
    ['^a{3,3}$', true],
    ['^a{3,}$', true],
    ['^[a-a]$', true],
    ['^[A-z]$', true],
    ['^z-a$', true],
    ['^a[b-c][z-y]$', false],
    ['^[?-0]$', false],
    ['^\\[z-a\\]$', true],
    ['^\\{3,1\\}$', true],
    [`^${'a'.repeat(248)}$`, true],
    [`^${'a'.repeat(249)}$`, false],
    ['(^a)$', true],
    ['^(a$)', true],
    ['^*$', false],
    ['^"$', false],
    ['^[^a]$', false],
    ['(', true],
    ['^', true],
    ['.*', true],
  ])('the pattern %s stays unchanged: %s', (pattern, isKept) => {
    expect(cleaned({ pattern })).toEqual({ pattern: isKept ? pattern : `(?:${pattern})` })
  })

  it('a pattern of 60,000 open parentheses does not stay', () => {
    const pattern = `^${'('.repeat(60_000)}$`
    expect(cleaned({ pattern })).toEqual({ pattern: `(?:${pattern})` })
  })
})

/** Twice as large as what is below, because llama.cpp builds a member for each of the types. */
const doubled = (below: unknown) => ({ type: ['object', 'string'], allOf: [below, {}] })

describe('references', () => {
  const many = Array.from({ length: 11 }, () => ({ type: 'string' }))

  it.each([
    ['of a list', '#/properties/many/anyOf/1', true],
    ['of a list, in two digits', '#/properties/many/anyOf/10', true],
    ['beyond a list', '#/properties/many/anyOf/11', false],
    ['to an index with a zero', '#/properties/many/anyOf/01', false],
    ['to an index with an exponent', '#/properties/many/anyOf/1e1', false],
    ['to what is no schema', '#/properties/many/anyOf', false],
    ['to what is in a text', '#/properties/many/anyOf/1/type/0', false],
    ['that begin with something else', './properties/many', false],
    ['that are nothing', null, false],
  ])('%s: %j stays: %s', (_, $ref, stays) => {
    const schema = (a: unknown) => ({ properties: { many: { anyOf: many }, a } })
    expect(cleaned(schema({ $ref }))).toEqual(schema(stays ? { $ref } : {}))
  })

  it.each([
    [500, true],
    [501, false],
  ])('of %d characters stay: %s', (length, stays) => {
    const last = 'd'.repeat(length - 49 - 3 * 128)
    const names = ['a'.repeat(128), 'b'.repeat(128), 'c'.repeat(128), last]
    const $ref = `#${names.map(name => `/properties/${name}`).join('')}`
    expect($ref.length).toBe(length)
    const schema = (items: unknown) => ({
      items,
      ...(names.reduceRight((below, name) => ({ properties: { [name]: below } }), {}) as object),
    })
    expect(cleaned(schema({ $ref }))).toEqual(schema(stays ? { $ref } : {}))
  })

  it('in a chain of up to 20 schemas stay', () => {
    const longest = chained(18, referenceTo)
    expect(cleaned(longest)).toEqual(longest)
    const { $ref: _, ...rest } = chained(19, referenceTo)
    expect(cleaned(chained(19, referenceTo))).toEqual(rest)
  })

  it('to up to 500 schemas stay', () => {
    const names = (count: number) => Array.from({ length: count }, (_, i) => i)
    const schema = (count: number) => ({
      anyOf: names(250).map(i => ({ $ref: `#/items/${i}` })),
      allOf: names(count - 250).map(i => ({ $ref: `#/prefixItems/${i}` })),
      items: names(250).map(() => ({})),
      prefixItems: names(count - 250).map(() => ({})),
    })
    expect(cleaned(schema(500))).toEqual(schema(500))
    expect(cleaned(schema(501))).toMatch(/too large/)
  })

  it.each([
    [
      'to itself as one of several members',
      { allOf: [{ $ref: '#/$defs/a' }, { type: 'string' }] },
      { allOf: [{}, { type: 'string' }] },
    ],
    ['to itself beside what llama.cpp ignores', { $ref: '#/$defs/a', items: {} }, { items: {} }],
  ])('%s are dropped', (_, a, expected) => {
    const schema = (a: unknown) => ({ $ref: '#/$defs/a', $defs: { a } })
    expect(cleaned(schema(a))).toEqual(schema(expected))
  })

  it('hide what is beside them, however large it is', () => {
    const schema = { ...(nested(16, doubled) as object), $ref: '#/$defs/a', $defs: { a: {} } }
    expect(cleaned(schema)).toEqual(schema)
  })
})

describe('schemas that are too large are refused', () => {
  it.each([
    [
      'nested members of an object or a string',
      nested(25, below => ({ type: ['object', 'string'], allOf: [below, {}] })),
    ],
    ['nested alternatives', nested(15, below => ({ anyOf: [doubled(below)] }))],
    ['nested properties', nested(15, below => doubled({ properties: { x: below } }))],
    ['nested items', nested(15, below => doubled({ items: below }))],
    ['nested items of a list', nested(15, below => doubled({ prefixItems: [below] }))],
    ['nested additional properties', nested(15, below => doubled({ additionalProperties: below }))],
    [
      'a reference into members that are dropped',
      {
        $ref: '#/$defs/a',
        $defs: {
          a: {
            type: 'object',
            properties: {
              x: { allOf: [{ $ref: '#/$defs/a' }, { type: 'string' }] },
              y: { $ref: '#/$defs/a/properties/x/allOf/1' },
            },
          },
        },
      },
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
      'parameters.properties: expected names of at most 128 characters',
      { properties: { ['x'.repeat(129)]: {} } },
    ],
    [
      'parameters.properties: expected at most 250, got 251',
      { properties: Object.fromEntries(Array.from({ length: 251 }, (_, i) => [`p${i}`, {}])) },
    ],
    ['parameters.anyOf: expected at most 500, got 501', { anyOf: Array(501).fill({}) }],
  ])('%s', (message, schema) => {
    expect(cleaned(schema)).toBe(message)
  })
})

describe('a schema that would keep nginx busy', () => {
  // njs takes some thirty times as long.
  it.each<[string, unknown, unknown]>([
    [
      'thousands of unknown types, and of one that is known',
      { type: [...Array(40_000).fill('x'), ...Array(40_000).fill('string')] },
      { type: ['string'] },
    ],
    ['thousands of repeated types', { type: Array(80_000).fill('null') }, { type: ['null'] }],
  ])('%s', (_, schema, expected) => {
    // Of this thread: the machine may be busy.
    const before = process.threadCpuUsage()
    expect(cleaned(schema)).toEqual(expected)
    expect(process.threadCpuUsage(before).user).toBeLessThan(1_000_000)
  })
})

describe('what a schema costs of the budget of a request', () => {
  const remaining = (schema: unknown, schemas: number) => {
    const parsed = parseJson(JSON.stringify(schema), limits)
    if ('problem' in parsed) throw new Error(parsed.problem)
    const budget = { schemas }
    const result = cleanSchema(parsed.value, 'parameters', budget)
    return 'value' in result ? budget.schemas : result.message
  }
  const properties = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [String(i), {}]))

  it.each<[string, unknown, number]>([
    ['one', {}, 1],
    ['each value', { enum: [1, 2, 3] }, 4],
    ['repetitions', { maxItems: 20, maxLength: 50 }, 8],
    ['repetitions without a maximum', { minItems: 20, minLength: 50 }, 8],
    ['the length of names', { properties: { ['x'.repeat(49)]: {} }, required: ['x'.repeat(49)] }, 3],
    ['names within names', { items: { items: {} } }, 1 + 1.12 + 1.24],
    ['optional properties', { properties: properties(5) }, 1 + 5 * 1.04 + 5 ** 3 / 2500],
    ['required ones', { properties: properties(5), required: ['0', '1', '2', '3', '4', 5] }, 1 + 5 * 1.04],
    ['some of each', { properties: properties(5), required: ['0', '1'] }, 1 + 5 * 1.04 + 3 ** 3 / 2500],
    ['definitions that nothing refers to, as one of them', { $defs: { a: {}, b: {} } }, 1.04],
  ])('%s', (_, schema, cost) => {
    expect(remaining(schema, 100)).toBeCloseTo(100 - cost, 6)
  })

  it('may be all of it', () => {
    expect(remaining({ enum: [1, 2] }, 3)).toBe(0)
    expect(remaining({ enum: [1, 2] }, 2)).toMatch(/^parameters: too large/)
    expect(remaining({ $defs: { a: {}, b: {} } }, 3)).toBeGreaterThan(1)
    expect(remaining({ $defs: { a: {}, b: {} } }, 2)).toMatch(/^parameters: too large/)
  })
})
