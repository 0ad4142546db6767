/** Generators of requests for the fuzzer that obey or violate the table of fields. */
import fc from 'fast-check'
import { type Route, routes } from '../../../lib/appliance/requests/api.ts'
import type { Field, Fields, Rule, Variant } from '../../../lib/appliance/requests/rules.ts'

export type GeneratedRequest = { kind: string; path: string; headers: Record<string, string>; body: Buffer }
type AnyValue = fc.Arbitrary<unknown>

/** Text of the kind that crashes parsers: long runs, control tokens, template markup, incomplete characters. */
const oddTexts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '[INST]',
    '</s>',
    '[TOOL_CALLS]read[ARGS]{',
    '{{ x }}',
    '{%',
    '%s%n',
    '\uffff',
    '😀',
  ),
  fc
    .tuple(
      fc.constantFrom(' ', '=', 'a', 'é', '漢', '\n', '[', '{"a":', '😀'),
      fc.integer({ min: 1, max: 20_000 }),
    )
    .map(([piece, times]) => piece.repeat(times)),
)
const oddNumbers = fc.constantFrom(
  0,
  -0,
  -1,
  1,
  0.5,
  1e-9,
  1e300,
  -1e300,
  2 ** 31,
  -(2 ** 31),
  2 ** 53,
  2 ** 63,
  2 ** 64,
)
const nested = fc
  .tuple(
    fc.constantFrom('[', '{"a":'),
    fc.oneof(
      { weight: 40, arbitrary: fc.integer({ min: 1, max: 8 }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 200 }) },
    ),
  )
  .map(([open, times]) => JSON.parse(`${open.repeat(times)}1${(open === '[' ? ']' : '}').repeat(times)}`))
const oddValues: AnyValue = fc.oneof(
  oddTexts,
  oddNumbers,
  nested,
  fc.constantFrom(null, true, false, [], {}),
  fc.jsonValue(),
)

/** Mostly ordinary: otherwise every request would be refused for one of its many values. */
const texts = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.constantFrom('Hello', 'hello.py', 'Read the file.', 'x', 'a b c '.repeat(100)),
  },
  { weight: 1, arbitrary: oddTexts },
)
const names = fc.oneof(
  { weight: 15, arbitrary: fc.constantFrom('read', 'filePath', 'a', 'b', 'c') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }) },
)

/** JSON Schemas of all forms, including those that make grammars large, endless or recursive. */
const schemas: AnyValue = fc.letrec(tie => ({
  schema: fc.oneof(
    { maxDepth: 6, depthIdentifier: 'schema' },
    fc.constantFrom({ type: 'string' }, { type: 'boolean' }, {}, true, null, { type: 'null' }),
    fc.record(
      {
        type: fc.constantFrom(
          'string',
          'array',
          'integer',
          'number',
          'object',
          ['string', 'object'],
          ['object', 'object'],
          7,
        ),
        minLength: fc.oneof(fc.integer({ min: -1, max: 3000 }), oddNumbers),
        maxLength: fc.oneof(fc.integer({ min: -1, max: 3000 }), oddNumbers),
        minItems: fc.oneof(fc.integer({ min: -1, max: 3000 }), oddNumbers),
        maxItems: fc.oneof(fc.integer({ min: -1, max: 3000 }), oddNumbers),
        minimum: fc.oneof(fc.integer(), oddNumbers),
        maximum: fc.oneof(fc.integer(), oddNumbers),
        exclusiveMinimum: oddNumbers,
        pattern: fc.constantFrom(
          '^a{5,3}$',
          '^(a*)*$',
          '^a{0,99999}$',
          '^((((a?)+)*)?){9}$',
          '(',
          '^[a-$',
          '^\\d+$',
        ),
        format: fc.constantFrom('date', 'uuid', 'email', 'x'),
        enum: fc.array(oddValues, { maxLength: 40 }),
        const: oddValues,
        $ref: fc.constantFrom(
          '#',
          '#/',
          '#/definitions/a',
          '#/definitions/b',
          '#/properties/a',
          'http://x/y',
          '#/definitions/é',
        ),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record(
      {
        type: fc.constant('object'),
        properties: fc.dictionary(names, tie('schema'), { maxKeys: 8 }),
        required: fc.array(names, { maxLength: 4 }),
        additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
        definitions: fc.dictionary(fc.constantFrom('a', 'b', 'é'), tie('schema'), { maxKeys: 3 }),
      },
      { requiredKeys: ['type', 'properties'] },
    ),
    fc.record({ type: fc.constant('array'), items: tie('schema') }),
    fc
      .tuple(fc.constantFrom('anyOf', 'oneOf', 'allOf'), fc.array(tie('schema'), { maxLength: 4 }))
      .map(([key, list]) => ({ [key]: list })),
  ),
})).schema

/** Rules that refuse any value: generating values for them would keep other fields from being tested. */
const isRefused = (rule: Field | undefined) => rule?.is === 'refused' || rule?.is === 'image'
const taken = (variants: Record<string, Variant>): [string, Fields][] =>
  Object.entries(variants).flatMap(([name, variant]) =>
    'fields' in variant && !('needs' in variant) ? [[name, variant.fields]] : [],
  )

/** Values that a rule accepts, or may accept. */
function valuesOf(rule: Rule, depth: number): AnyValue {
  switch (rule.is) {
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc
        .oneof(fc.maxSafeInteger(), fc.constantFrom(rule.min, rule.max, 0, 1))
        .map(value => Math.min(rule.max, Math.max(rule.min, value)))
    case 'number':
      return fc.oneof(
        fc.double({ min: rule.min, max: rule.max, noNaN: true }),
        fc.constantFrom(rule.min, rule.max),
      )
    case 'only':
      return fc.constant(rule.value)
    case 'text':
      return rule.oneOf === undefined
        ? texts.map(text => text.slice(0, rule.max))
        : fc.constantFrom(...rule.oneOf)
    case 'list':
      return fc.array(valuesOf(rule.of, depth + 1), { maxLength: depth > 4 ? 1 : 4 })
    case 'object':
      return objectOf(rule.fields, depth + 1)
    case 'variant':
      return fc.oneof(
        ...taken(rule.variants).map(([name, fields]) =>
          objectOf(fields, depth + 1).map(value => ({ ...value, [rule.by]: name.replace('*', '_20250101') })),
        ),
      )
    case 'map':
      return fc.dictionary(
        rule.keys === 'digits' ? fc.nat(40_000).map(String) : names,
        valuesOf(rule.of, depth + 1),
        { maxKeys: 5 },
      )
    case 'either':
      return fc.oneof(...rule.of.map(one => valuesOf(one, depth)))
    case 'null':
      return fc.constant(null)
    case 'schema':
      return schemas
    case 'arguments':
      return fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom('{}', '{"filePath":"hello.py"}') },
        { weight: 1, arbitrary: fc.oneof(fc.constantFrom('', '{', '[]'), oddTexts) },
        { weight: 1, arbitrary: nested.map(value => JSON.stringify(value)) },
      )
    case 'prompt':
      return fc.oneof(texts, fc.array(fc.nat(40_000), { maxLength: 50 }), fc.array(texts, { maxLength: 2 }))
    case 'image':
      return fc.constantFrom('data:image/png;base64,AAAA', 'http://127.0.0.1/x', 'file:///etc/passwd', '')
    default:
      return oddValues
  }
}

function objectOf(fields: Fields, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const named = Object.entries(fields).filter(([, rule]) => !isRefused(rule))
  const entries = named.map(([name, rule]: [string, Field]) => [name, valuesOf(rule, depth)])
  const requiredKeys = Object.keys(fields).filter(name => fields[name]?.isRequired)
  return fc.record(Object.fromEntries(entries), { requiredKeys })
}

/** Keeps answers short: the fuzzer targets what happens before the first token. */
const lengths = ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n_predict']
const shortened = (route: Route, request: Record<string, unknown>) => {
  const [first] = lengths.filter(name => route.fields?.()[name] !== undefined)
  const rest = Object.fromEntries(Object.entries(request).filter(([name]) => !lengths.includes(name)))
  return first === undefined || !route.isGeneration ? request : { ...rest, [first]: 2 }
}

/** Fields that llama-server knows and the filter removes. */
const unknownFields = fc.dictionary(
  fc.constantFrom(
    'id_slot',
    'grammar',
    'grammar_lazy',
    'grammar_triggers',
    'n_cmpl',
    'n',
    'lora',
    'cache_prompt',
    'n_cache_reuse',
    'n_keep',
    'n_discard',
    'repeat_last_n',
    'dry_penalty_last_n',
    'n_probs',
    'min_keep',
    'samplers',
    'chat_format',
    'chat_parser',
    'generation_prompt',
    'preserved_tokens',
    'reasoning_budget_start_tag',
    'reasoning_format',
    'chat_template_kwargs',
    'response_fields',
    'return_tokens',
    'verbose',
    '__proto__',
    'constructor',
  ),
  fc.oneof(
    oddValues,
    fc.constantFrom('%llguidance {}', 'root ::= root', '('.repeat(5000), 2147483647, { bos_token: 'x' }),
  ),
  { minKeys: 1, maxKeys: 4 },
)

/** A request with one of its values, at any depth, replaced by an odd one. */
const withOneReplaced = (request: unknown): fc.Arbitrary<unknown> => {
  const places: string[][] = []
  const walk = (value: unknown, path: string[]) => {
    if (typeof value !== 'object' || value === null || path.length > 6) return
    for (const key of Object.keys(value)) {
      places.push([...path, key])
      walk((value as Record<string, unknown>)[key], [...path, key])
    }
  }
  walk(request, [])
  if (places.length === 0) return oddValues
  return fc.tuple(fc.constantFrom(...places), oddValues).map(([place, odd]) => {
    const copy = structuredClone(request)
    let at = copy as Record<string, unknown>
    for (const key of place.slice(0, -1)) at = at[key] as Record<string, unknown>
    at[place.at(-1) as string] = odd
    return copy
  })
}

/** Text that is nearly JSON. */
const mangled = (text: string): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.nat(text.length).map(end => Buffer.from(text.slice(0, end))),
    fc
      .tuple(
        fc.nat(text.length),
        fc.constantFrom('"', '{', '[', '\\', '\0', '\\ud800', ',', '1e999', '\ufeff'),
      )
      .map(([at, piece]) => Buffer.from(text.slice(0, at) + piece + text.slice(at))),
    fc
      .tuple(fc.nat(text.length), fc.uint8Array({ minLength: 1, maxLength: 4 }))
      .map(([at, bytes]) =>
        Buffer.concat([Buffer.from(text.slice(0, at)), bytes, Buffer.from(text.slice(at))]),
      ),
    fc.constantFrom('[', '{"a":').map(piece => Buffer.from(piece.repeat(100_000))),
    fc.constant(Buffer.from(text, 'utf16le')),
    fc.constant(Buffer.from(text.replace('{', '{"model":"x","model":"sentence",'))),
  )

const headers = fc.oneof(
  fc.constantFrom<Record<string, string>>(
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/json; charset=utf-16' },
    { 'content-encoding': 'gzip' },
    { 'transfer-encoding': 'chunked' },
    { 'x-conversation-id': 'mine' },
    { 'x-copilot-tenant': '' },
    { expect: '100-continue' },
    { 'x-long': 'x'.repeat(9000) },
  ),
)

const json = { 'content-type': 'application/json' }

/** Requests to one route. */
function requestsTo(route: Route): fc.Arbitrary<GeneratedRequest> {
  const request = objectOf(route.fields?.() ?? {}, 0).map(value => shortened(route, value))
  const built = (kind: string, body: Buffer, more: Record<string, string> = {}): GeneratedRequest => ({
    kind,
    path: route.path,
    headers: { ...json, ...more },
    body,
  })
  const text = (value: unknown) => JSON.stringify(value) ?? 'null'
  return fc.oneof(
    { weight: 4, arbitrary: request.map(value => built('valid by the table', Buffer.from(text(value)))) },
    {
      weight: 3,
      arbitrary: request
        .chain(withOneReplaced)
        .map(value => built('one value replaced', Buffer.from(text(value)))),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(request, unknownFields)
        .map(([value, more]) => built('unknown fields', Buffer.from(text({ ...value, ...more })))),
    },
    {
      weight: 1,
      arbitrary: request.chain(value => mangled(text(value))).map(body => built('not quite JSON', body)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(request, headers)
        .map(([value, more]) => built('odd headers', Buffer.from(text(value)), more)),
    },
  )
}

export const generatedRequests: fc.Arbitrary<GeneratedRequest> = fc.oneof(
  ...routes.filter(({ fields }) => fields !== undefined).map(requestsTo),
)
