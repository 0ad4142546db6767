/** Small models of random weights for embeddings and reranking, of the architectures of the real ones. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cached } from '../../packer/build/cache.ts'
import { step } from '../../packer/build/progress.ts'
import { ownSource, tokensOf, vocabulary } from './chain-model.ts'
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

export type VectorModel = 'qwen3-embedding' | 'qwen3-reranker' | 'nomic-bert'

const size = { width: 64, layers: 2, feedForward: 128, heads: 2, head: 32 }
export const vectorLength = size.width

/** Returns the model's path (9 MB; nomic-bert, whose vocabulary is another one, 4 MB). */
export const vectorModel = (kind: VectorModel): Promise<string> =>
  cached(
    `${kind}.gguf`,
    [ownSource('gguf.ts'), ownSource('embedding-model.ts'), ownSource('llama-source.ts')],
    path =>
      step(`a model of random weights (${kind})`, async () => {
        const tokenizer = kind === 'nomic-bert' ? await bertTokenizer() : (await vocabulary()).tokenizer
        const tokens = tokensOf(tokenizer).length
        const tensors =
          kind === 'nomic-bert' ? bertTensors(tokens) : qwenTensors(tokens, kind === 'qwen3-reranker')
        writeFileSync(path, encodeGguf(metadataFor(kind, tokenizer), tensors))
      }),
  )

const bertVocabulary = 'models/ggml-vocab-bert-bge.gguf'

async function bertTokenizer(): Promise<Metadata> {
  const metadata = readMetadata(
    readFileSync(
      await cached('bert-vocabulary.gguf', [bertVocabulary, ownSource('llama-source.ts')], async path =>
        writeFileSync(path, await llamaFile(bertVocabulary)),
      ),
    ),
  )
  return new Map([...metadata].filter(([key]) => key.startsWith('tokenizer.ggml.')))
}

function metadataFor(kind: VectorModel, tokenizer: Metadata): Metadata {
  const architecture = kind === 'nomic-bert' ? 'nomic-bert' : 'qwen3'
  const own: [string, Metadata extends Map<string, infer V> ? V : never][] = [
    ['context_length', uint32(2048)],
    ['embedding_length', uint32(size.width)],
    ['block_count', uint32(size.layers)],
    ['feed_forward_length', uint32(size.feedForward)],
    ['attention.head_count', uint32(size.heads)],
    ['attention.head_count_kv', uint32(size.heads)],
    ...(kind === 'nomic-bert'
      ? ([
          ['attention.layer_norm_epsilon', float32(1e-12)],
          ['attention.causal', { type: 'bool', value: false }],
          ['pooling_type', uint32(1)],
        ] as [string, never][])
      : ([
          ['attention.key_length', uint32(size.head)],
          ['attention.value_length', uint32(size.head)],
          ['attention.layer_norm_rms_epsilon', float32(1e-6)],
        ] as [string, never][])),
    ...(kind === 'qwen3-reranker'
      ? ([
          ['classifier.output_labels', { type: 'array', of: 'string', value: ['yes', 'no'] }],
          ['pooling_type', uint32(4)],
        ] as [string, never][])
      : []),
    ['rope.freq_base', float32(1000)],
  ]
  return new Map([
    ['general.architecture', string(architecture)],
    ['general.name', string(kind)],
    ['general.file_type', uint32(1)],
    ...own.map(([key, value]) => [`${architecture}.${key}`, value] as const),
    ...(kind === 'nomic-bert' ? [['tokenizer.ggml.token_type_count', uint32(2)] as const] : []),
    ...tokenizer,
    ...(kind === 'qwen3-reranker'
      ? [['tokenizer.chat_template.rerank', string('Query: {query}\nDocument: {document}\nAnswer:')] as const]
      : []),
  ])
}

const qwenTensors = (tokens: number, hasHead: boolean): TensorValues[] => {
  const { width, layers, feedForward, heads, head } = size
  const inner = heads * head
  return [
    random('token_embd.weight', width, tokens),
    norm('output_norm.weight', width),
    ...(hasHead ? [random('cls.output.weight', width, 2)] : []),
    ...Array.from({ length: layers }, (_, layer) => [
      norm(`blk.${layer}.attn_norm.weight`, width),
      norm(`blk.${layer}.ffn_norm.weight`, width),
      norm(`blk.${layer}.attn_q_norm.weight`, head),
      norm(`blk.${layer}.attn_k_norm.weight`, head),
      random(`blk.${layer}.attn_q.weight`, width, inner),
      random(`blk.${layer}.attn_k.weight`, width, inner),
      random(`blk.${layer}.attn_v.weight`, width, inner),
      random(`blk.${layer}.attn_output.weight`, inner, width),
      random(`blk.${layer}.ffn_gate.weight`, width, feedForward),
      random(`blk.${layer}.ffn_up.weight`, width, feedForward),
      random(`blk.${layer}.ffn_down.weight`, feedForward, width),
    ]).flat(),
  ]
}

const bertTensors = (tokens: number): TensorValues[] => {
  const { width, layers, feedForward, heads, head } = size
  const inner = heads * head
  const normWithBias = (name: string) => [norm(`${name}.weight`, width), zero(`${name}.bias`, width)]
  return [
    random('token_embd.weight', width, tokens),
    { ...random('token_types.weight', width, 2), type: 'float32' },
    ...normWithBias('token_embd_norm'),
    ...Array.from({ length: layers }, (_, layer) => [
      random(`blk.${layer}.attn_qkv.weight`, width, 3 * inner),
      random(`blk.${layer}.attn_output.weight`, inner, width),
      ...normWithBias(`blk.${layer}.attn_output_norm`),
      random(`blk.${layer}.ffn_gate.weight`, width, feedForward),
      random(`blk.${layer}.ffn_up.weight`, width, feedForward),
      random(`blk.${layer}.ffn_down.weight`, feedForward, width),
      ...normWithBias(`blk.${layer}.layer_output_norm`),
    ]).flat(),
  ]
}

const norm = (name: string, length: number): TensorValues => filled(name, length, 1)
const zero = (name: string, length: number): TensorValues => filled(name, length, 0)
const filled = (name: string, length: number, value: number): TensorValues => ({
  name,
  type: 'float32',
  shape: [length],
  values: new Float32Array(length).fill(value),
})

/** Values that a linear congruential generator gives, seeded by the name: the same in each run. */
function random(name: string, columns: number, rows: number): TensorValues {
  let state = [...name].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) >>> 0, 7)
  const values = Float32Array.from({ length: columns * rows }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state / 2 ** 31 - 1) / Math.sqrt(columns)
  })
  return { name, type: 'float16', shape: [columns, rows], values }
}
