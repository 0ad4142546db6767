/** Models with hand-set weights: each token determines the next, so their answers are known. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from '../../packer/build/cache.ts'
import {
  encodeGguf,
  float32,
  type Metadata,
  readMetadata,
  string,
  type TensorValues,
  uint32,
} from './gguf.ts'
import { llamaFile } from './llama-source.ts'

/** The context window of Devstral Small 2, so that these models can stand in for it whatever context size is set. */
export const contextLimit = 393_216

/** The token that follows another; `after: undefined` applies to all tokens without a step of their own. */
export type ChainStep = { after: string | undefined; comes: string; weight?: number }

/** Overrides a step: `comes` follows `after` if the context contains `ifSeen` but not `unlessSeen`. */
type Condition = { after: string; comes: string; ifSeen: string; unlessSeen: string }

export type Chain = {
  name: string
  tokenizer: Metadata
  steps: ChainStep[]
  condition?: Condition
  /** The Jinja chat template in the model's file, if any. */
  template?: string
  /** By default `small`. A larger size gives the same answers, at the speed of a larger model. */
  size?: ChainSize
}

export type ChainSize = {
  /** Length of an embedding. */
  width: number
  layers: number
  feedForward: number
  heads: { query: number; keyValue: number; size: number }
}

export const endOfText = '</s>'
const vocabularyFile = 'models/ggml-vocab-llama-spm.gguf'
const small: ChainSize = {
  width: 64,
  layers: 1,
  feedForward: 64,
  heads: { query: 2, keyValue: 1, size: 32 }, // 32: the minimum for a q8_0 KV cache
}

// The norm scales a single 1 to the square root of the width, so logits are at least 8 · 64 · weight: a gap of 10,000
// or more makes sampling deterministic at any temperature that a client may request.
const certain = 64
/** The weight of the token to use if the certain one is forbidden, as the end is by `ignore_eos`. */
export const second = 32

/** A source file of this folder, as an input of the cache key of a model that it generates. */
export const ownSource = (name: string) => readFileSync(join(import.meta.dirname, name))
export const ownSources = () => ['gguf.ts', 'chain-model.ts'].map(ownSource)

/** Llama's vocabulary as a file, and its tokenizer metadata: 32000 tokens, in which ▁ is a space. */
export async function vocabulary(): Promise<{ file: Buffer; tokenizer: Metadata }> {
  const inputs = [vocabularyFile, ownSource('llama-source.ts')]
  const file = readFileSync(
    await cached('llama-vocabulary.gguf', inputs, async path =>
      writeFileSync(path, await llamaFile(vocabularyFile)),
    ),
  )
  const tokenizer = new Map([...readMetadata(file)].filter(([key]) => key.startsWith('tokenizer.ggml.')))
  return { file, tokenizer }
}

export function tokensOf(tokenizer: Metadata): string[] {
  const tokens = tokenizer.get('tokenizer.ggml.tokens')
  if (tokens?.type !== 'array' || tokens.of !== 'string') throw new Error(`${vocabularyFile} lists no tokens`)
  return tokens.value
}

/** The bytes of the model's GGUF file: 9 MB for a small one. */
export const encodeChain = (chain: Chain): Buffer =>
  encodeGguf(metadataFor(chain), tensorsFor(chain, tokensOf(chain.tokenizer)))

const metadataFor = ({ name, tokenizer, template, size = small }: Chain): Metadata =>
  new Map([
    ['general.architecture', string('llama')],
    ['general.name', string(name)],
    ['general.file_type', uint32(1)], // mostly F16
    ['llama.context_length', uint32(contextLimit)],
    ['llama.embedding_length', uint32(size.width)],
    ['llama.block_count', uint32(size.layers)],
    ['llama.feed_forward_length', uint32(size.feedForward)],
    ['llama.attention.head_count', uint32(size.heads.query)],
    ['llama.attention.head_count_kv', uint32(size.heads.keyValue)],
    ['llama.attention.key_length', uint32(size.heads.size)],
    ['llama.attention.value_length', uint32(size.heads.size)],
    ['llama.attention.layer_norm_rms_epsilon', float32(1e-5)],
    ['llama.rope.dimension_count', uint32(size.heads.size)],
    // So high that the last pair of dimensions barely rotates: conditions work at any distance.
    ['llama.rope.freq_base', float32(1e9)],
    ['llama.vocab_size', uint32(tokensOf(tokenizer).length)],
    ...tokenizer,
    ...(template === undefined ? [] : [['tokenizer.chat_template', string(template)] as const]),
  ])

/**
 * Dimension 0 means "a token that no step names"; each named token has a dimension of its own. An embedding sets one of
 * these; attention in the first layer sets one more if the condition holds; the output maps each to the next token.
 */
function tensorsFor({ steps, condition, size = small }: Chain, tokens: string[]): TensorValues[] {
  const { width, heads, feedForward } = size
  const idOf = (token: string) => {
    const id = tokens.indexOf(token)
    if (id < 0) throw new Error(`${vocabularyFile} has no token "${token}"`)
    return id
  }
  const named = new Set([...steps.map(({ after }) => after), condition?.ifSeen, condition?.unlessSeen])
  const dimensions = new Map(
    [...named].filter(token => token !== undefined).map((token, i) => [token, i + 1]),
  )
  const seen = width - 1
  if (dimensions.size >= seen) throw new Error(`${dimensions.size} tokens to tell apart; ${seen - 1} can be`)

  const embeddings = new Float32Array(tokens.length * width)
  const byId = new Map([...dimensions].map(([token, dimension]) => [idOf(token), dimension]))
  for (let id = 0; id < tokens.length; id++) embeddings[id * width + (byId.get(id) ?? 0)] = 1

  const output = new Float32Array(tokens.length * width)
  const follow = (dimension: number, token: string, weight: number) => {
    output[idOf(token) * width + dimension] = weight
  }
  const dimensionOf = (token: string | undefined) => (token === undefined ? 0 : (dimensions.get(token) ?? 0))
  for (const { after, comes, weight } of steps) follow(dimensionOf(after), comes, weight ?? certain)

  const query = matrix(width, heads.query * heads.size)
  const key = matrix(width, heads.keyValue * heads.size)
  const value = matrix(width, heads.keyValue * heads.size)
  const attended = matrix(heads.query * heads.size, width)
  if (condition !== undefined) {
    // The last pair of the first head's dimensions. The score 4 · 8 · 4 · 8 draws all attention to these two tokens;
    // if both are present, they share it and their values cancel out.
    const pair = heads.size - 2
    query.set(pair, dimensionOf(condition.after), 4)
    for (const [token, says] of [
      [condition.ifSeen, 1 / 4],
      [condition.unlessSeen, -1 / 4],
    ] as const) {
      key.set(pair, dimensionOf(token), 4)
      value.set(0, dimensionOf(token), says)
      // Right after one of these two tokens, the default step applies.
      for (const { comes } of steps.filter(({ after }) => after === undefined))
        follow(dimensionOf(token), comes, certain)
    }
    attended.set(seen, 0, 1)
    follow(seen, condition.comes, certain)
  }

  const float16 = (
    name: string,
    { shape, values }: { shape: number[]; values: Float32Array },
  ): TensorValues => ({
    name,
    type: 'float16',
    shape,
    values,
  })
  const norm = (name: string, weight: number): TensorValues => ({
    name,
    type: 'float32',
    shape: [width],
    values: new Float32Array(width).fill(weight),
  })
  return [
    float16('token_embd.weight', { shape: [width, tokens.length], values: embeddings }),
    norm('output_norm.weight', 64),
    float16('output.weight', { shape: [width, tokens.length], values: output }),
    ...Array.from({ length: size.layers }, (_, layer) => [
      norm(`blk.${layer}.attn_norm.weight`, 1),
      float16(`blk.${layer}.attn_q.weight`, query),
      float16(`blk.${layer}.attn_k.weight`, key),
      float16(`blk.${layer}.attn_v.weight`, value),
      float16(
        `blk.${layer}.attn_output.weight`,
        layer === 0 ? attended : matrix(heads.query * heads.size, width),
      ),
      norm(`blk.${layer}.ffn_norm.weight`, 1),
      float16(`blk.${layer}.ffn_gate.weight`, matrix(width, feedForward)),
      float16(`blk.${layer}.ffn_up.weight`, matrix(width, feedForward)),
      float16(`blk.${layer}.ffn_down.weight`, matrix(feedForward, width)),
    ]).flat(),
  ]
}

/** A zero matrix in GGUF's order: one row of `length` inputs for each output. */
function matrix(length: number, rows: number) {
  const values = new Float32Array(length * rows)
  const set = (row: number, column: number, value: number) => {
    values[row * length + column] = value
  }
  return { shape: [length, rows], values, set }
}
