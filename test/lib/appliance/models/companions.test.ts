/** Recomputes the companions' geometry from their published configurations; all matrices are Q8_0. */
import { expect, it } from 'vitest'
import { companionCatalogue, companionNames } from '../../../../lib/appliance/models/companions.ts'
import { geometryOf } from '../../../../lib/appliance/models/geometry.ts'
import { bytesOf, type Header } from '../../../../lib/appliance/models/gguf.ts'

type Configuration = {
  architecture: string
  layers: number
  embedding: number
  feedForward: number
  heads: { query: number; keyValue: number; size: number }
  vocabulary: number
  merges: number
  isUntied?: true
}

const [f32, q8] = [0, 8]
const tensor = (name: string, type: number, ...shape: number[]) => ({ name, type, shape, offset: 0 })

function headerOf(configuration: Configuration): Header {
  const { architecture, layers, embedding, feedForward, heads, vocabulary, merges, isUntied } = configuration
  const [queries, keys] = [heads.query * heads.size, heads.keyValue * heads.size]
  const isBert = architecture === 'nomic-bert'
  const attention = (block: string) =>
    isBert
      ? [tensor(`${block}.attn_qkv.weight`, q8, embedding, queries + 2 * keys)]
      : [
          tensor(`${block}.attn_q.weight`, q8, embedding, queries),
          tensor(`${block}.attn_k.weight`, q8, embedding, keys),
          tensor(`${block}.attn_v.weight`, q8, embedding, keys),
        ]
  // Norms, and biases or norms of heads.
  const small: Record<string, number[]> = {
    qwen2: [embedding, embedding, queries, keys, keys],
    qwen3: [embedding, embedding, heads.size, heads.size],
    'nomic-bert': [embedding, embedding, embedding, embedding],
  }
  const layer = (index: number) => {
    const block = `blk.${index}`
    return [
      ...attention(block),
      tensor(`${block}.attn_output.weight`, q8, queries, embedding),
      tensor(`${block}.ffn_gate.weight`, q8, embedding, feedForward),
      tensor(`${block}.ffn_up.weight`, q8, embedding, feedForward),
      tensor(`${block}.ffn_down.weight`, q8, feedForward, embedding),
      ...(small[architecture] ?? []).map((size, number) => tensor(`${block}.small.${number}`, f32, size)),
    ]
  }
  const own = {
    block_count: layers,
    embedding_length: embedding,
    feed_forward_length: feedForward,
    'attention.head_count': heads.query,
    'attention.head_count_kv': heads.keyValue,
    'attention.key_length': heads.size,
  }
  return {
    metadata: {
      'general.architecture': architecture,
      ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`${architecture}.${key}`, value])),
      'tokenizer.ggml.tokens': new Array(vocabulary),
      'tokenizer.ggml.merges': new Array(merges),
    },
    tensors: [
      tensor('token_embd.weight', q8, embedding, vocabulary),
      ...(isUntied ? [tensor('output.weight', q8, embedding, vocabulary)] : []),
      tensor('output_norm.weight', f32, embedding),
      ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    ],
  }
}

const qwen2 = (
  layers: number,
  embedding: number,
  feedForward: number,
  query: number,
  keyValue: number,
  size: number,
): Configuration => ({
  architecture: 'qwen2',
  layers,
  embedding,
  feedForward,
  heads: { query, keyValue, size },
  vocabulary: 151_936,
  merges: 151_387,
})

const qwen3: Configuration = {
  architecture: 'qwen3',
  layers: 28,
  embedding: 1024,
  feedForward: 3072,
  heads: { query: 16, keyValue: 8, size: 128 },
  vocabulary: 151_669,
  merges: 151_387,
}

const configurations: Record<keyof typeof companionCatalogue, Configuration> = {
  'qwen2.5-coder-1.5b': qwen2(28, 1536, 8960, 12, 2, 128),
  'qwen2.5-coder-0.5b': qwen2(24, 896, 4864, 14, 2, 64),
  'qwen2.5-coder-7b': { ...qwen2(28, 3584, 18_944, 28, 4, 128), vocabulary: 152_064, isUntied: true },
  'qwen3-embedding-0.6b': qwen3,
  'qwen3-reranker-0.6b': qwen3,
  'nomic-embed-text-v1.5': {
    architecture: 'nomic-bert',
    layers: 12,
    embedding: 768,
    feedForward: 3072,
    heads: { query: 12, keyValue: 12, size: 64 },
    vocabulary: 30_522,
    merges: 0,
  },
}

it.each(companionNames)('knows the geometry of %s', name => {
  const header = headerOf(configurations[name])
  const { geometry, size } = companionCatalogue[name]
  expect(geometryOf(header)).toEqual(geometry)
  // The rest of the file is its metadata, mostly the vocabulary, and a reranker's head.
  const rest = size - header.tensors.reduce((sum, one) => sum + bytesOf(one), 0)
  expect(rest).toBeGreaterThan(5e5)
  expect(rest).toBeLessThan(8e6)
})
