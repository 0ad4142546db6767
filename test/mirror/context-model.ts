/** A model with random weights whose next token depends on the whole context: one foreign token changes its answer. */
import { writeFileSync } from 'node:fs'
import { cached } from '../../packer/build/cache.ts'
import { step } from '../../packer/build/progress.ts'
import { contextLimit, ownSource, tokensOf, vocabulary } from './chain-model.ts'
import { encodeGguf, float32, type Metadata, string, type TensorValues, uint32 } from './gguf.ts'

const width = 64
const layers = 2
const feedForward = 128
const heads = { query: 2, keyValue: 2, size: 32 }
/** Few enough output words that the most likely one leads the next by far more than rounding errors. */
const words = 256

// Mistral's format, as in the sentence model.
const template = `{{ bos_token }}{% for message in messages %}
{%- if message.role == 'system' %}[SYSTEM_PROMPT]{{ message.content }}[/SYSTEM_PROMPT]
{%- elif message.role == 'assistant' %}{{ message.content or '' }}{{ eos_token }}
{%- else %}[INST]{{ message.content }}[/INST]
{%- endif %}
{%- endfor %}`

const metadataFor = (tokenizer: Metadata): Metadata =>
  new Map([
    ['general.architecture', string('llama')],
    ['general.name', string('A model whose words depend on their context')],
    ['general.file_type', uint32(1)], // mostly F16
    ['llama.context_length', uint32(contextLimit)],
    ['llama.embedding_length', uint32(width)],
    ['llama.block_count', uint32(layers)],
    ['llama.feed_forward_length', uint32(feedForward)],
    ['llama.attention.head_count', uint32(heads.query)],
    ['llama.attention.head_count_kv', uint32(heads.keyValue)],
    ['llama.attention.layer_norm_rms_epsilon', float32(1e-5)],
    ['llama.rope.dimension_count', uint32(heads.size)],
    ['llama.vocab_size', uint32(tokensOf(tokenizer).length)],
    ...tokenizer,
    ['tokenizer.chat_template', string(template)],
  ])

/** Uniform pseudo-random numbers from -1 to 1, the same in each run (the LCG of Numerical Recipes). */
function numbers(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
}

function tensorsFor(tokens: string[]): TensorValues[] {
  const random = numbers()
  const matrix = (name: string, length: number, rows: number, loudness: number): TensorValues => ({
    name: `${name}.weight`,
    type: 'float16',
    shape: [length, rows],
    values: Float32Array.from({ length: length * rows }, () => random() * loudness),
  })
  const norm = (name: string): TensorValues => ({
    name: `${name}.weight`,
    type: 'float32',
    shape: [width],
    values: new Float32Array(width).fill(1),
  })
  const output = matrix('output', width, tokens.length, 1)
  const spoken = tokens.flatMap((token, id) => (/^▁[a-z]{4,}$/.test(token) ? [id] : [])).slice(0, words)
  for (let id = 0; id < tokens.length; id++)
    if (!spoken.includes(id)) output.values.fill(0, id * width, (id + 1) * width)
  const layer = (index: number) => [
    norm(`blk.${index}.attn_norm`),
    matrix(`blk.${index}.attn_q`, width, width, 0.2),
    matrix(`blk.${index}.attn_k`, width, width, 0.2),
    // Large values: the context must matter as much as the last token.
    matrix(`blk.${index}.attn_v`, width, width, 1),
    matrix(`blk.${index}.attn_output`, width, width, 1),
    norm(`blk.${index}.ffn_norm`),
    matrix(`blk.${index}.ffn_gate`, width, feedForward, 0.2),
    matrix(`blk.${index}.ffn_up`, width, feedForward, 0.2),
    matrix(`blk.${index}.ffn_down`, feedForward, width, 0.2),
  ]
  return [
    matrix('token_embd', width, tokens.length, 1),
    norm('output_norm'),
    output,
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
  ]
}

/** Returns the model's path (9 MB). It never generates an end-of-text token. */
export async function contextModel(): Promise<string> {
  const { file, tokenizer } = await vocabulary()
  const inputs = [ownSource('gguf.ts'), ownSource('context-model.ts'), file]
  return cached('context.gguf', inputs, path =>
    step('a model whose words depend on their context', async () =>
      writeFileSync(path, encodeGguf(metadataFor(tokenizer), tensorsFor(tokensOf(tokenizer)))),
    ),
  )
}
