/** Captured requests of real clients, texts replaced: all passes the filter except the fields listed here. */
import { describe, expect, it } from 'vitest'
import { filterRequest } from '../../../lib/edge/filter.ts'
import { chats } from '../../conversations/chat.ts'
import { messages } from '../../conversations/messages.ts'
import { responses } from '../../conversations/responses.ts'
import { capturedClients, capturedFrom } from '../../support/captured-requests.ts'

const settings = { models: ['devstral', 'sentence'], readsImages: false, vocabulary: 32_000, companions: {} }

function passed(path: string, request: object): unknown {
  const filtered = filterRequest(path, JSON.stringify(request), settings)
  if (!('body' in filtered)) throw new Error(JSON.stringify(filtered.error))
  return JSON.parse(filtered.body)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** Where two values differ: unique paths, without indexes. */
function differences(before: unknown, after: unknown, path = ''): string[] {
  if (!isObject(before) || !isObject(after)) return Object.is(before, after) ? [] : [path]
  if (Array.isArray(before) && Array.isArray(after) && before.length !== after.length) {
    const types = (list: unknown[]) => list.map(one => (isObject(one) ? one.type : one))
    const left = types(after)
    return types(before)
      .filter(type => !left.includes(type))
      .map(type => `${path} of type ${type}`)
  }
  const found = Object.keys({ ...before, ...after }).flatMap(key => {
    // JSON has no undefined.
    if (before[key as keyof typeof before] === undefined && after[key as keyof typeof after] === undefined)
      return []
    const below = Array.isArray(before) ? path : path === '' ? key : `${path}.${key}`
    return key in before && key in after ? differences(before[key], after[key], below) : [below]
  })
  return [...new Set(found)]
}

/** The fields of each client's requests that the filter drops. */
const leftOut: Record<string, string[]> = {
  'ai-sdk': [],
  anthropic: [],
  openai: ['messages.refusal', 'messages.parsed'],
  opencode: [],
  continue: [],
  cline: [],
  'qwen-code': [],
  'claude-code': [
    'messages.content.cache_control',
    'system.cache_control',
    'tools.defer_loading',
    'tools.input_schema.properties.field72.maxLength',
    'metadata',
    'thinking.display',
    'context_management',
    'output_config',
  ],
  codex: [
    'input.id',
    'input.status',
    'tools of type namespace',
    'tools of type web_search',
    'reasoning.summary',
    'store',
    'include',
    'prompt_cache_key',
    'client_metadata',
  ],
}

it('lists every client whose requests are recorded', () => {
  expect(Object.keys(leftOut).sort()).toEqual(capturedClients.toSorted())
})

describe.each(Object.keys(leftOut))('%s', client => {
  it('loses only the fields listed', () => {
    const found = capturedFrom(client).flatMap(({ path, request }) =>
      differences({ ...request, model: 'devstral' }, passed(path, request)),
    )
    expect([...new Set(found)].sort()).toEqual(leftOut[client]?.sort())
  })
})

describe('conversations of every form', () => {
  it.each(Object.entries(chats))('chat: %s', (_, request) => {
    expect(differences({ ...request, model: 'devstral' }, passed('/v1/chat/completions', request))).toEqual(
      [],
    )
    expect(passed('/apply-template', request)).toEqual(passed('/v1/chat/completions', request))
  })

  it.each(Object.entries(messages))('messages: %s', (_, request) => {
    const left = differences({ ...request, model: 'devstral' }, passed('/v1/messages', request))
    expect(
      left.filter(field => !leftOut['claude-code']?.includes(field) && !/cache_control/.test(field)),
    ).toEqual([])
  })

  it.each(Object.entries(responses))('responses: %s', (_, request) => {
    const left = differences({ ...request, model: 'devstral' }, passed('/v1/responses', request))
    const annotations = ['input.content.annotations', 'input.type']
    expect(left.filter(field => !leftOut.codex?.includes(field) && !annotations.includes(field))).toEqual([])
  })
})

/** From the plugins' documentation: neither runs without an editor. */
describe('completion in an editor', () => {
  const shared = {
    input_prefix: 'def total(prices):\n    return ',
    input_suffix: '\n',
    input_extra: [{ filename: 'shop.py', text: 'prices = []\n' }],
    prompt: '    return ',
    n_predict: 128,
    top_k: 40,
    top_p: 0.99,
    samplers: ['top_k', 'top_p', 'infill'],
    stream: false,
    t_max_prompt_ms: 500,
    t_max_predict_ms: 1000,
  }
  it.each([
    [
      'llama.vim',
      {
        ...shared,
        n_indent: 4,
        stop: [],
        id_slot: 0,
        cache_prompt: true,
        response_fields: ['content', 'timings/prompt_n'],
      },
    ],
    ['llama.vscode', { ...shared, cache_prompt: true, model: 'devstral' }],
  ])('%s', (_, request) => {
    const left = differences({ ...request, model: 'devstral' }, passed('/infill', request))
    expect(left.filter(field => !['id_slot', 'cache_prompt'].includes(field))).toEqual([])
  })
})
