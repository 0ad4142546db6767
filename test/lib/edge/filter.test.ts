import { expect, it } from 'vitest'
import { filterRequest } from '../../../lib/edge/filter.ts'

const settings = { models: ['devstral', 'default'], contextSize: 32_768, readsImages: false }
const hello = { messages: [{ role: 'user', content: 'Hello' }] }

it.each([
  { given: hello, kept: { ...hello, model: 'devstral' } },
  { given: { ...hello, id_slot: 3, grammar: '%llguidance {}' }, kept: { ...hello, model: 'devstral' } },
])('writes $kept', ({ given, kept }) => {
  expect(filterRequest('/v1/chat/completions', JSON.stringify(given), settings)).toEqual({
    body: JSON.stringify(kept),
  })
})
