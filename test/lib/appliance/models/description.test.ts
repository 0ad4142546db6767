import { expect, it } from 'vitest'
import { describe } from '../../../../lib/appliance/models/description.ts'

const tensor = (name: string) => ({ name, type: 0, shape: [64, 64], offset: 0 })
const header = (changes: Record<string, unknown> = {}, architecture = 'llama') => ({
  metadata: {
    'general.architecture': architecture,
    [`${architecture}.context_length`]: 4096,
    [`${architecture}.embedding_length`]: 64,
    [`${architecture}.block_count`]: 1,
    [`${architecture}.feed_forward_length`]: 64,
    [`${architecture}.attention.head_count`]: 2,
    'tokenizer.ggml.tokens': ['a', 'b'],
    ...changes,
  },
  tensors: [tensor('token_embd.weight'), tensor('output.weight'), tensor('blk.0.attn_q.weight')],
})

/** As in the templates of Mistral's models, by version. */
const mistral = '[SYSTEM_PROMPT] [AVAILABLE_TOOLS] [TOOL_CALLS] [ARGS]'
const older = `${mistral} [CALL_ID]`
const qwen = '<|im_start|> <tool_call> <function= {% if enable_thinking %}<think>'

it.each([
  ["Mistral's format", mistral, 'mistral3', 'devstral'],
  ['an older one', older, 'mistral3', undefined],
  ["Mistral's format in another architecture", mistral, 'qwen2', undefined],
  ['another format', '<|im_start|>', 'llama', undefined],
  ['another format of Mistral', '[AVAILABLE_TOOLS] [TOOL_CALLS]', 'llama', undefined],
  ["Qwen3.5's format", qwen, 'qwen35moe', 'qwen3.5'],
  ["Qwen3.5's format in another architecture", qwen, 'qwen3moe', undefined],
  ['no template', undefined, 'mistral3', undefined],
])('%s: %j of %s has our template %s', (_, text, architecture, template) => {
  const described = describe(header({ 'tokenizer.chat_template': text }, architecture), 1000)
  expect(described.template).toBe(template)
  expect(described.hasTemplate).toBe(text !== undefined)
})

it.each([
  ['apache-2.0', 'apache-2.0'],
  [undefined, undefined],
  ['', undefined],
  [7, undefined],
  [' mit\n', 'mit'],
  ['mit\n\u001b[31mred', 'mit [31mred'],
  ['x'.repeat(500), 'x'.repeat(60)],
])('the licence %j is shown as %j', (stated, shown) => {
  expect(describe(header({ 'general.license': stated }), 1000).licence).toBe(shown)
})

it('refuses a context that is too short', () => {
  expect(() => describe(header({ 'llama.context_length': 256 }), 1000)).toThrow(
    /context of 256 tokens is shorter/,
  )
})

it.each([
  [qwen, 'qwen3moe', 'optional'],
  [mistral, 'mistral3', undefined],
  ['<|channel|>', 'gpt-oss', 'always'],
])('a model with the template %j in %s thinks: %s', (text, architecture, thinking) => {
  const described = describe(header({ 'tokenizer.chat_template': text }, architecture), 1000)
  expect(described.thinking).toBe(thinking)
})
