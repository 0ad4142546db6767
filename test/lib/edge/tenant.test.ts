import { expect, it } from 'vitest'
import { routes } from '../../../lib/appliance/requests/api.ts'
import { filterRequest } from '../../../lib/edge/filter.ts'
import { type JsonObject, writeJson } from '../../../lib/edge/json.ts'
import { parseJson } from '../../../lib/edge/parse-json.ts'
import { markedPaths, markTenant } from '../../../lib/edge/tenant.ts'

const settings = { models: ['devstral'], readsImages: false, vocabulary: 32_000, companions: {} }
const salt = 'ABCDEFabcdef'
const mark = `(${salt} is a tag without meaning.)`

/** What llama-server receives. */
function written(path: string, request: object, withSalt: string | undefined): Record<string, unknown> {
  const filtered = filterRequest(path, JSON.stringify(request), settings, withSalt)
  if ('error' in filtered) throw new Error(JSON.stringify(filtered.error))
  return JSON.parse(filtered.body)
}

const user = { role: 'user', content: 'Hello' }
const text = (value: string, type = 'text') => ({ type, text: value })
const chat = '/v1/chat/completions'
const rows: { path: string; given: object; gives: object }[] = [
  { path: chat, given: { messages: [user] }, gives: { messages: [{ role: 'system', content: mark }, user] } },
  { path: chat, given: { messages: [] }, gives: { messages: [{ role: 'system', content: mark }] } },
  ...['system', 'developer'].flatMap(role => [
    {
      path: chat,
      given: { messages: [{ role, content: 'Be brief.' }, user] },
      gives: { messages: [{ role, content: `${mark}\n\nBe brief.` }, user] },
    },
    {
      path: chat,
      given: { messages: [{ role, content: [text('Be'), text('brief.')] }, user] },
      gives: { messages: [{ role, content: [text(`${mark}\n\n`), text('Be'), text('brief.')] }, user] },
    },
    ...[null, '', []].map(content => ({
      path: chat,
      given: { messages: [{ role, content }, user] },
      gives: { messages: [{ role, content: mark }, user] },
    })),
  ]),
  {
    path: chat,
    given: { messages: [user, { role: 'system', content: 'Be brief.' }] },
    gives: { messages: [{ role: 'system', content: mark }, user, { role: 'system', content: 'Be brief.' }] },
  },
  { path: '/v1/messages', given: { messages: [user] }, gives: { system: mark, messages: [user] } },
  {
    path: '/v1/messages',
    given: { system: 'x-anthropic-billing-header: cch=12345;', messages: [user] },
    gives: {
      system: [text(`${mark}\n\n`), text('x-anthropic-billing-header: cch=12345;')],
      messages: [user],
    },
  },
  {
    path: '/v1/messages',
    given: { system: [text('One.'), text('Two.')], messages: [user] },
    gives: { system: [text(`${mark}\n\n`), text('One.'), text('Two.')], messages: [user] },
  },
  {
    path: '/v1/messages',
    given: { messages: [{ role: 'system', content: 'One.' }, user] },
    gives: { messages: [{ role: 'system', content: `${mark}\n\nOne.` }, user] },
  },
  { path: '/v1/responses', given: { input: 'Hello' }, gives: { instructions: mark, input: 'Hello' } },
  {
    path: '/v1/responses',
    given: { instructions: 'Be brief.', input: 'Hello' },
    gives: { instructions: `${mark}\n\nBe brief.`, input: 'Hello' },
  },
  {
    path: '/v1/responses',
    given: { input: [{ type: 'message', role: 'developer', content: [text('One.', 'input_text')] }] },
    gives: {
      input: [
        {
          type: 'message',
          role: 'developer',
          content: [text(`${mark}\n\n`, 'input_text'), text('One.', 'input_text')],
        },
      ],
    },
  },
  // Instructions in both places: the field comes first in the prompt.
  {
    path: '/v1/messages',
    given: { system: 'One.', messages: [{ role: 'system', content: 'Two.' }, user] },
    gives: {
      system: [text(`${mark}\n\n`), text('One.')],
      messages: [{ role: 'system', content: 'Two.' }, user],
    },
  },
  {
    path: '/v1/responses',
    given: { instructions: 'One.', input: [{ type: 'message', role: 'system', content: 'Two.' }] },
    gives: {
      instructions: `${mark}\n\nOne.`,
      input: [{ type: 'message', role: 'system', content: 'Two.' }],
    },
  },
  {
    path: '/v1/messages',
    given: { system: '', messages: [user] },
    gives: { system: mark, messages: [user] },
  },
  { path: '/v1/completions', given: { prompt: 'def' }, gives: { prompt: `${mark}\ndef` } },
  { path: '/v1/completions', given: { prompt: ['def'] }, gives: { prompt: `${mark}\ndef` } },
  { path: '/v1/completions', given: { prompt: [5, 6] }, gives: { prompt: [`${mark}\n`, 5, 6] } },
  {
    path: '/infill',
    given: { input_prefix: 'a', input_suffix: 'b', cache_prompt: true },
    gives: { input_prefix: 'a', input_suffix: 'b', cache_prompt: false },
  },
]

it.each(rows)('marks $given', ({ path, given, gives }) => {
  expect(written(path, given, salt)).toEqual({ ...gives, model: 'devstral' })
})

it.each(rows)('leaves $given unmarked if there is only one cache', ({ path, given }) => {
  expect(written(path, given, '')).toEqual(written(path, given, undefined))
  expect(JSON.stringify(written(path, given, undefined))).not.toContain('is a tag')
})

// The filter refuses these, but each would be a prompt of its own.
it.each([
  [
    ['a', 'b'],
    [`${mark}\na`, `${mark}\nb`],
  ],
  [
    ['a', 5],
    [`${mark}\n`, 'a', 5],
  ],
  [[], [`${mark}\n`]],
])('marks the prompt %j', (prompt, marked) => {
  const parsed = parseJson(JSON.stringify({ prompt }), { levels: 9, values: 9, keys: 9 })
  if (!('value' in parsed)) throw new Error(parsed.problem)
  markTenant('/v1/completions', parsed.value as JsonObject, salt)
  expect(JSON.parse(writeJson(parsed.value))).toEqual({ prompt: marked })
})

it('marks every path that generates', () => {
  const generations = routes.filter(({ isGeneration }) => isGeneration).map(({ path }) => path)
  expect(generations.filter(path => !markedPaths.includes(path))).toEqual([])
})
