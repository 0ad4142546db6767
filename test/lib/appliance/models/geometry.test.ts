/** Recomputes the catalogue's geometry from published configurations and llama-quantize's choice of types. */
import { expect, it } from 'vitest'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import { geometryOf } from '../../../../lib/appliance/models/geometry.ts'
import { bytesOf, countsOf, type Header } from '../../../../lib/appliance/models/gguf.ts'
import { kvCacheSize } from '../../../../lib/appliance/sizing/memory.ts'

/** ggml's numbers for the types. */
const types = {
  f32: 0,
  q8_0: 8,
  q4_K: 12,
  q5_K: 13,
  q6_K: 14,
  mxfp4: 39,
} as const
type Type = keyof typeof types

/** What a GGUF header's metadata is made from. `vocabulary` and `merges`: how many there are. */
type Configuration = {
  architecture: string
  layers: number
  embedding: number
  /** Of a single expert, if there are any. */
  feedForward: number
  heads: { query: number; keyValue: number; size: number }
  vocabulary: number
  merges: number
  experts?: { all: number; used: number }
  window?: number
  recurrent?: { convolution: number; inner: number; state: number; groups: number }
}

const tensor = (name: string, type: Type, ...shape: number[]) => ({
  name,
  type: types[type],
  shape,
  offset: 0,
})

/** Whether Q4_K_M stores a layer's most important tensors as Q6_K: about every second layer. */
const isImportant = (layer: number, layers: number) => {
  const eighth = Math.floor(layers / 8)
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2
}

function headerOf(configuration: Configuration, tensors: Header['tensors']): Header {
  const { architecture, layers, embedding, feedForward, heads, vocabulary, merges, experts, window } =
    configuration
  const { recurrent } = configuration
  const own = {
    block_count: layers,
    embedding_length: embedding,
    feed_forward_length: feedForward,
    'attention.head_count': heads.query,
    'attention.head_count_kv': heads.keyValue,
    'attention.key_length': heads.size,
    ...(experts && {
      expert_count: experts.all,
      expert_used_count: experts.used,
      expert_feed_forward_length: feedForward,
    }),
    ...(window && { 'attention.sliding_window': window }),
    ...(recurrent && {
      'ssm.conv_kernel': recurrent.convolution,
      'ssm.inner_size': recurrent.inner,
      'ssm.state_size': recurrent.state,
      'ssm.group_count': recurrent.groups,
    }),
  }
  return {
    metadata: {
      'general.architecture': architecture,
      ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`${architecture}.${key}`, value])),
      'tokenizer.ggml.tokens': new Array(vocabulary),
      'tokenizer.ggml.merges': new Array(merges),
    },
    tensors,
  }
}

/** The header of a model quantized to Q4_K_M. */
function q4KM(configuration: Configuration, small: number[]): Header {
  const { layers, embedding, feedForward, heads, vocabulary, experts } = configuration
  const [queries, keys] = [heads.query * heads.size, heads.keyValue * heads.size]
  const [suffix, count] = experts === undefined ? ['', []] : ['_exps', [experts.all]]
  const layer = (index: number) => {
    const important = isImportant(index, layers) ? 'q6_K' : 'q4_K'
    return [
      tensor(`blk.${index}.attn_q.weight`, 'q4_K', embedding, queries),
      tensor(`blk.${index}.attn_k.weight`, 'q4_K', embedding, keys),
      tensor(`blk.${index}.attn_v.weight`, important, embedding, keys),
      tensor(`blk.${index}.attn_output.weight`, 'q4_K', queries, embedding),
      tensor(`blk.${index}.ffn_gate${suffix}.weight`, 'q4_K', embedding, feedForward, ...count),
      tensor(`blk.${index}.ffn_up${suffix}.weight`, 'q4_K', embedding, feedForward, ...count),
      tensor(`blk.${index}.ffn_down${suffix}.weight`, important, feedForward, embedding, ...count),
      ...(experts ? [tensor(`blk.${index}.ffn_gate_inp.weight`, 'f32', embedding, experts.all)] : []),
      ...small.map((size, number) => tensor(`blk.${index}.small.${number}`, 'f32', size)),
    ]
  }
  return headerOf(configuration, [
    tensor('token_embd.weight', 'q4_K', embedding, vocabulary),
    tensor('output.weight', 'q6_K', embedding, vocabulary),
    tensor('output_norm.weight', 'f32', embedding),
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
  ])
}

const qwenVocabulary = { vocabulary: 151_936, merges: 151_387 }
const headers = {
  'devstral-small-2': q4KM(
    {
      architecture: 'mistral3',
      layers: 40,
      embedding: 5120,
      feedForward: 32_768,
      heads: { query: 32, keyValue: 8, size: 128 },
      vocabulary: 131_072,
      merges: 269_443,
    },
    [5120, 5120],
  ),
  'qwen3-coder-30b-a3b': q4KM(
    {
      architecture: 'qwen3moe',
      layers: 48,
      embedding: 2048,
      feedForward: 768,
      heads: { query: 32, keyValue: 4, size: 128 },
      ...qwenVocabulary,
      experts: { all: 128, used: 8 },
    },
    [2048, 2048, 128, 128],
  ),
  'qwen2.5-coder-3b': q4KM(
    {
      architecture: 'qwen2',
      layers: 36,
      embedding: 2048,
      feedForward: 11_008,
      heads: { query: 16, keyValue: 2, size: 128 },
      ...qwenVocabulary,
    },
    [2048, 2048, 2048, 256, 256],
  ),
  'gpt-oss-20b': gptOss(),
  'qwen3.6-35b-a3b': hybrid(),
}

/** MXFP4 for the experts, as published; Q8_0 for the rest. */
function gptOss(): Header {
  const [layers, embedding, feedForward, all] = [24, 2880, 2880, 32]
  const layer = (index: number) => [
    tensor(`blk.${index}.attn_q.weight`, 'q8_0', embedding, 4096),
    tensor(`blk.${index}.attn_k.weight`, 'q8_0', embedding, 512),
    tensor(`blk.${index}.attn_v.weight`, 'q8_0', embedding, 512),
    tensor(`blk.${index}.attn_output.weight`, 'q8_0', 4096, embedding),
    ...['gate', 'up', 'down'].flatMap(part => [
      tensor(`blk.${index}.ffn_${part}_exps.weight`, 'mxfp4', embedding, feedForward, all),
      tensor(`blk.${index}.ffn_${part}_exps.bias`, 'f32', feedForward, all),
    ]),
    tensor(`blk.${index}.ffn_gate_inp.weight`, 'f32', embedding, all),
    ...[all, 4096, 512, 512, embedding, embedding, embedding, 64].map((size, number) =>
      tensor(`blk.${index}.small.${number}`, 'f32', size),
    ),
  ]
  const configuration = {
    architecture: 'gpt-oss',
    layers,
    embedding,
    feedForward,
    heads: { query: 64, keyValue: 8, size: 64 },
    vocabulary: 201_088,
    merges: 446_189,
    experts: { all, used: 4 },
    window: 128,
  }
  return headerOf(configuration, [
    tensor('token_embd.weight', 'q8_0', embedding, 201_088),
    tensor('output.weight', 'q8_0', embedding, 201_088),
    tensor('output_norm.weight', 'f32', embedding),
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
  ])
}

/** Every fourth layer has attention. Q4_K and Q5_K for the experts, a few Q6_K; Q8_0 for what every token uses. */
function hybrid(): Header {
  const [layers, embedding, feedForward, all, vocabulary] = [40, 2048, 512, 256, 248_320]
  const recurrent = { convolution: 4, inner: 4096, state: 128, groups: 16 }
  const convolved = recurrent.inner + 2 * recurrent.groups * recurrent.state
  const valueHeads = recurrent.inner / recurrent.state
  const preciseLayers = 3
  const matrix = (name: string, type: Type, ...shape: number[]) => tensor(`${name}.weight`, type, ...shape)
  const attention = (block: string) => [
    matrix(`${block}.attn_q`, 'q8_0', embedding, 2 * 4096),
    matrix(`${block}.attn_k`, 'q8_0', embedding, 512),
    matrix(`${block}.attn_v`, 'q8_0', embedding, 512),
    matrix(`${block}.attn_output`, 'q8_0', 4096, embedding),
    matrix(`${block}.attn_q_norm`, 'f32', 256),
    matrix(`${block}.attn_k_norm`, 'f32', 256),
  ]
  const recurring = (block: string) => [
    matrix(`${block}.attn_qkv`, 'q8_0', embedding, convolved),
    matrix(`${block}.attn_gate`, 'q8_0', embedding, recurrent.inner),
    matrix(`${block}.ssm_out`, 'q8_0', recurrent.inner, embedding),
    matrix(`${block}.ssm_conv1d`, 'f32', recurrent.convolution, convolved),
    matrix(`${block}.ssm_alpha`, 'f32', embedding, valueHeads),
    matrix(`${block}.ssm_beta`, 'f32', embedding, valueHeads),
    tensor(`${block}.ssm_dt.bias`, 'f32', valueHeads),
    tensor(`${block}.ssm_a`, 'f32', valueHeads),
    matrix(`${block}.ssm_norm`, 'f32', recurrent.state),
  ]
  const layer = (index: number) => {
    const block = `blk.${index}`
    return [
      matrix(`${block}.attn_norm`, 'f32', embedding),
      matrix(`${block}.post_attention_norm`, 'f32', embedding),
      ...(index % 4 === 3 ? attention(block) : recurring(block)),
      matrix(`${block}.ffn_gate_exps`, 'q4_K', embedding, feedForward, all),
      matrix(`${block}.ffn_up_exps`, 'q4_K', embedding, feedForward, all),
      matrix(`${block}.ffn_down_exps`, index < preciseLayers ? 'q6_K' : 'q5_K', feedForward, embedding, all),
      matrix(`${block}.ffn_gate_inp`, 'f32', embedding, all),
      matrix(`${block}.ffn_gate_inp_shexp`, 'f32', embedding),
      matrix(`${block}.ffn_gate_shexp`, 'q8_0', embedding, feedForward),
      matrix(`${block}.ffn_up_shexp`, 'q8_0', embedding, feedForward),
      matrix(`${block}.ffn_down_shexp`, 'q8_0', feedForward, embedding),
    ]
  }
  const configuration = {
    architecture: 'qwen35moe',
    layers,
    embedding,
    feedForward,
    heads: { query: 16, keyValue: 2, size: 256 },
    vocabulary,
    merges: 247_788,
    experts: { all, used: 8 },
    recurrent,
  }
  return headerOf(configuration, [
    matrix('token_embd', 'q8_0', embedding, vocabulary),
    matrix('output', 'q6_K', embedding, vocabulary),
    matrix('output_norm', 'f32', embedding),
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
  ])
}

it('knows the geometry of a hybrid: Qwen3.6-35B-A3B, whose file is this large', () => {
  const header = hybrid()
  const geometry = geometryOf(header)
  expect(geometry).toMatchObject({
    layers: 10,
    recurrent: { layers: 30, convolved: 8192, history: 3, values: 4096, state: 524_288 },
    repackable: 12_079_595_520,
    active: 2_626_185_728,
    activeParameters: 2_946_429_568,
  })
  expect(header.tensors.reduce((sum, one) => sum + bytesOf(one), 0)).toBe(22_134_528_992 - 10_990_048)
  const factors = { contextSize: 1024, slots: 1, kvType: 'f16', batchSize: 256 } as const
  const kvCache = kvCacheSize(geometry, factors)
  const perToken = (kvCacheSize(geometry, { ...factors, contextSize: 2048 }) - kvCache) / 1024
  const perSlot = kvCacheSize(geometry, { ...factors, slots: 2, contextSize: 512 }) - kvCache
  expect({ perToken, perSlot }).toEqual({ perToken: 20_480, perSlot: 65_863_680 })
})

it('does not count a layer for multi-token prediction, which is not loaded', () => {
  const { metadata, tensors } = hybrid()
  const { architecture } = countsOf({ metadata })
  const more = {
    ...metadata,
    [`${architecture}.block_count`]: 41,
    [`${architecture}.nextn_predict_layers`]: 1,
  }
  // A copy of the last layer, which has attention.
  const copies = tensors
    .filter(({ name }) => name.startsWith('blk.39.'))
    .map(tensor => ({ ...tensor, name: tensor.name.replace('blk.39.', 'blk.40.') }))
  expect(copies.length).toBeGreaterThan(5)
  expect(geometryOf({ metadata: more, tensors: [...tensors, ...copies] })).toEqual(geometryOf(hybrid()))
})

it.each(Object.keys(headers) as (keyof typeof headers)[])('knows the geometry of %s', name => {
  const { geometry, size } = catalogue[name]
  expect(geometryOf(headers[name])).toEqual(geometry)
  const weights = headers[name].tensors.reduce((sum, one) => sum + bytesOf(one), 0)
  // The rest of the file is its metadata, mostly the vocabulary.
  expect(size - weights).toBeGreaterThan(4e6)
  expect(size - weights).toBeLessThan(16e6)
})

it('counts a tied embedding as output', () => {
  const tied = headers['qwen2.5-coder-3b'].tensors.filter(({ name }) => name !== 'output.weight')
  const { metadata } = headers['qwen2.5-coder-3b']
  const embedding = (2048 * 151_936 * 144) / 256
  expect(geometryOf({ metadata, tensors: tied }).repackable).toBe(
    catalogue['qwen2.5-coder-3b'].geometry.repackable + embedding,
  )
})

it('names what is missing in a header', () => {
  expect(() => geometryOf({ metadata: { 'general.architecture': 'bert' }, tensors: [] })).toThrow(
    'its bert.block_count is missing',
  )
})

const [dense, experts] = [headers['qwen2.5-coder-3b'], headers['gpt-oss-20b']]
const withKeys = ({ metadata, tensors }: typeof dense, keys: Record<string, unknown>) => ({
  metadata: { ...metadata, ...keys },
  tensors,
})

it.each([
  [
    'more layers than tensors',
    dense,
    { 'qwen2.block_count': 10_000 },
    /says 10000 layers, but it has only \d+ tensors/,
  ],
  ['no expert used', experts, { 'gpt-oss.expert_used_count': 0 }, /experts are invalid: 0 of 32 used/],
  ['more experts used than there are', experts, { 'gpt-oss.expert_used_count': 33 }, /33 of 32 used/],
  ['experts that no key counts', experts, { 'gpt-oss.expert_count': 0 }, /4 of 0 used/],
  [
    'a head with half an element',
    dense,
    { 'qwen2.embedding_length': 2056, 'qwen2.attention.key_length': undefined },
    /its headSize is invalid/,
  ],
])('refuses %s', (_, header, keys, problem) => {
  expect(() => geometryOf(withKeys(header, keys))).toThrow(problem)
})

it('knows of sliding windows only where every second layer has one', () => {
  expect(geometryOf(withKeys(dense, { 'qwen2.attention.sliding_window': 128 }))).not.toHaveProperty(
    'slidingWindow',
  )
  expect(geometryOf(withKeys(experts, { 'gpt-oss.attention.sliding_window': 0 }))).not.toHaveProperty(
    'slidingWindow',
  )
  expect(geometryOf(experts).slidingWindow).toEqual({ layers: 12, tokens: 128 })
})

it('accepts a model that uses all of its experts', () => {
  const all = geometryOf(withKeys(experts, { 'gpt-oss.expert_used_count': 32 }))
  expect(all.expertAnswers).toBe(8 * (catalogue['gpt-oss-20b'].geometry.expertAnswers ?? 0))
})
