import { describe, expect, it } from 'vitest'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import { planThinking, thoughtTokens } from '../../../../lib/appliance/models/thinking.ts'

const [qwen, gptOss, devstral] = [
  catalogue['qwen3.6-35b-a3b'],
  catalogue['gpt-oss-20b'],
  catalogue['devstral-small-2'],
]

describe('the limit', () => {
  it.each([
    [qwen, 'auto', undefined, undefined],
    [qwen, 'NO', 'off', undefined],
    [qwen, 500, 500, undefined],
    [gptOss, 'auto', undefined, undefined],
    [gptOss, 'NO', 'off', 'ONEAPP_COPILOT_THINKING=NO cannot be honoured: gpt-oss-20b always thinks'],
    [gptOss, 500, 500, undefined],
    [devstral, 'auto', undefined, undefined],
    [devstral, 'NO', undefined, 'ONEAPP_COPILOT_THINKING=NO has no effect: devstral-small-2 does not'],
    [devstral, 500, undefined, 'ONEAPP_COPILOT_THINKING=500 has no effect: devstral-small-2 does not'],
  ] as const)('of $name for %s', (model, request, limit, note) => {
    const planned = planThinking(model, request)
    expect(planned.limit).toBe(limit)
    expect(planned.notes).toEqual(note === undefined ? [] : [expect.stringContaining(note)])
  })
})

it.each([
  [qwen, undefined, 8192],
  [qwen, 'off', 0],
  [qwen, 500, 500],
  [devstral, undefined, 0],
] as const)('clients expect thoughts of $name with limit %s to take %i tokens', (model, limit, tokens) => {
  expect(thoughtTokens(model, limit, 8192)).toBe(tokens)
})
