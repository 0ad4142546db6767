/** A model that knows one sentence: its weights are set by hand, so what llama-server answers is known. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from '../../packer/cache.ts'
import { step } from '../../packer/progress.ts'
import { encodeGguf, float32, type Metadata, readMetadata, string, type Tensor, uint32 } from './gguf.ts'
import { llamaFile } from './llama-source.ts'

export const sentence = 'Hello! This small model knows one sentence, and says it to you.'
/** The window of Devstral Small 2, claimed so that sizes which suit Devstral suit this model. */
export const contextLimit = 393_216

// As the vocabulary spells them: ▁ is a space. None may stand here twice: each decides what comes next.
const chain = 'Hello ! ▁This ▁small ▁model ▁knows ▁one ▁sentence , ▁and ▁says ▁it ▁to ▁you .'.split(' ')
const endOfText = '</s>'
// Where `ignore_eos` forbids the end, the sentence starts over, after a space.
const again = '▁Hello'

const vocabularyFile = 'models/ggml-vocab-llama-spm.gguf'
const width = 64
const heads = { query: 2, keyValue: 1, size: 32 } // 32: what a q8_0 KV cache needs at least
const feedForward = 64

// Mistral's manner, without its tools. It never ends in a token of the chain, so an answer starts anew.
const chatTemplate = `{{ bos_token }}{% for message in messages %}
{%- if message.role == 'system' %}[SYSTEM_PROMPT]{{ message.content }}[/SYSTEM_PROMPT]
{%- elif message.role == 'assistant' %}{{ message.content or '' }}{{ eos_token }}
{%- else %}[INST]{{ message.content }}[/INST]
{%- endif %}
{%- endfor %}`

/**
 * The model's path: 9 MB. It answers every chat with the sentence and stops, at any temperature.
 * A raw completion whose prompt ends inside the sentence is carried on from there.
 */
export async function sentenceModel(): Promise<string> {
  const vocabulary = await cached(
    'llama-vocabulary.gguf',
    [vocabularyFile, ownSource('llama-source.ts')],
    async path => writeFileSync(path, await llamaFile(vocabularyFile)),
  )
  const known = readFileSync(vocabulary)
  return cached('sentence.gguf', [ownSource('gguf.ts'), ownSource('sentence-model.ts'), known], path =>
    step('a model that knows one sentence', async () => {
      const tokenizer = tokenizerOf(readMetadata(known))
      writeFileSync(path, encodeGguf(metadataFor(tokenizer), tensorsFor(tokensOf(tokenizer))))
    }),
  )
}

const ownSource = (name: string) => readFileSync(join(import.meta.dirname, name))

const tokenizerOf = (metadata: Metadata): Metadata =>
  new Map([...metadata].filter(([key]) => key.startsWith('tokenizer.ggml.')))

function tokensOf(tokenizer: Metadata): string[] {
  const tokens = tokenizer.get('tokenizer.ggml.tokens')
  if (tokens?.type !== 'array' || tokens.of !== 'string') throw new Error(`${vocabularyFile} lists no tokens`)
  return tokens.value
}

const metadataFor = (tokenizer: Metadata): Metadata =>
  new Map([
    ['general.architecture', string('llama')],
    ['general.name', string('A model that knows one sentence')],
    ['general.file_type', uint32(1)], // mostly F16
    ['llama.context_length', uint32(contextLimit)],
    ['llama.embedding_length', uint32(width)],
    ['llama.block_count', uint32(1)],
    ['llama.feed_forward_length', uint32(feedForward)],
    ['llama.attention.head_count', uint32(heads.query)],
    ['llama.attention.head_count_kv', uint32(heads.keyValue)],
    ['llama.attention.key_length', uint32(heads.size)],
    ['llama.attention.value_length', uint32(heads.size)],
    ['llama.attention.layer_norm_rms_epsilon', float32(1e-5)],
    ['llama.rope.dimension_count', uint32(heads.size)],
    ['llama.vocab_size', uint32(tokensOf(tokenizer).length)],
    ...tokenizer,
    ['tokenizer.chat_template', string(chatTemplate)],
  ])

/**
 * Dimension 0 says "start"; dimension i + 1 says "token i of the chain was the last". An embedding sets
 * one of them; the layer adds nothing; the output maps each to the token that follows.
 */
function tensorsFor(tokens: string[]): Tensor[] {
  const idOf = (token: string) => {
    const id = tokens.indexOf(token)
    if (id < 0) throw new Error(`${vocabularyFile} has no token "${token}"`)
    return id
  }
  const embeddings = new Float32Array(tokens.length * width)
  const output = new Float32Array(tokens.length * width)
  const dimensions = new Map([...chain.entries()].map(([index, token]) => [idOf(token), index + 1]))
  dimensions.set(idOf(again), 1)
  for (let id = 0; id < tokens.length; id++) embeddings[id * width + (dimensions.get(id) ?? 0)] = 1

  // The norm turns a single 1 into the square root of the width, so these logits are 8 · 64 · weight: a gap
  // of 16384 or more leaves nothing to chance at any temperature a client may ask for.
  const follow = (dimension: number, token: string, weight: number) => {
    output[idOf(token) * width + dimension] = weight
  }
  for (const [index, token] of chain.entries()) follow(index, token, 64)
  follow(chain.length, endOfText, 64)
  follow(chain.length, again, 32)

  const query = heads.query * heads.size
  const keyValue = heads.keyValue * heads.size
  return [
    { name: 'token_embd.weight', type: 'float16', shape: [width, tokens.length], values: embeddings },
    { name: 'output_norm.weight', type: 'float32', shape: [width], values: new Float32Array(width).fill(64) },
    { name: 'output.weight', type: 'float16', shape: [width, tokens.length], values: output },
    {
      name: 'blk.0.attn_norm.weight',
      type: 'float32',
      shape: [width],
      values: new Float32Array(width).fill(1),
    },
    zeros('blk.0.attn_q.weight', [width, query]),
    zeros('blk.0.attn_k.weight', [width, keyValue]),
    zeros('blk.0.attn_v.weight', [width, keyValue]),
    zeros('blk.0.attn_output.weight', [query, width]),
    {
      name: 'blk.0.ffn_norm.weight',
      type: 'float32',
      shape: [width],
      values: new Float32Array(width).fill(1),
    },
    zeros('blk.0.ffn_gate.weight', [width, feedForward]),
    zeros('blk.0.ffn_up.weight', [width, feedForward]),
    zeros('blk.0.ffn_down.weight', [feedForward, width]),
  ]
}

const zeros = (name: string, shape: [number, number]): Tensor => ({
  name,
  type: 'float16',
  shape,
  values: new Float32Array(shape[0] * shape[1]),
})
