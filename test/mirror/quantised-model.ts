/** Models of any shape and quantisation, with random weights but known answers: each token has one successor. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { cached } from '../../packer/build/cache.ts'
import { step } from '../../packer/build/progress.ts'
import { contextLimit, ownSource, tokensOf, vocabulary } from './chain-model.ts'
import {
  encodeHead,
  float32,
  type Metadata,
  padded,
  string,
  type TensorInfo,
  type TensorType,
  tensorBytes,
  uint32,
} from './gguf.ts'
import { recurrentMetadata } from './hybrid.ts'
import { embeddings, type Matrix, output, type Shape, type Weights, weightsOf } from './layers.ts'
import { randomBlocks } from './random-blocks.ts'

export type QuantisedTypes = {
  /** The type of `token_embd` and `output`, which contain the same rows. */
  vocabulary: TensorType
  /** The type of a matrix in a layer, counting from 0. */
  layer: (matrix: Matrix, layer: number) => TensorType
}

/** All matrices of one type. */
export const allOf = (type: TensorType): QuantisedTypes => ({ vocabulary: type, layer: () => type })

/** The Q4_K_M mix of `llama-quantize`: Q6_K for the output, and for two matrices in about half of the layers. */
export const q4KM = (layers: number): QuantisedTypes => ({
  vocabulary: 'q6_K',
  layer: (matrix, layer) => {
    const isImportant = matrix === 'attn_v' || matrix === 'ffn_down'
    const early = Math.floor(layers / 8)
    const isPrecise = layer < early || layer >= Math.floor((7 * layers) / 8) || (layer - early) % 3 === 2
    return isImportant && isPrecise ? 'q6_K' : 'q4_K'
  },
})

/**
 * For benchmarks: 170 million parameters, 105 MB as Q4_K_M. That is several times a CPU's cache, so that memory
 * bandwidth matters as with a real model, and small enough to be started a hundred times. Relative to the weights, a
 * token of context costs five times as much as in Devstral Small 2: 4096 tokens here correspond to 20,000 there.
 */
export const benchModel = (name = 'q4_k_m', types = q4KM(benchShape.layers)): Promise<string> =>
  quantisedModel(`bench-${name}`, benchShape, types)

const benchShape: Shape = {
  architecture: 'llama',
  width: 1024,
  layers: 12,
  feedForward: 2816,
  heads: { query: 4, keyValue: 1, size: 128 },
  // llama-server's context size if none is set.
  contextLimit: 32_768,
}

/**
 * Returns the path of the model's GGUF file, `quantised-<name>-<key>.gguf` in the cache. Token N + 1 always follows
 * token N (/completion accepts token IDs as a prompt). For the K types, widths must be multiples of 256.
 */
export async function quantisedModel(name: string, shape: Shape, types: QuantisedTypes): Promise<string> {
  const { file, tokenizer } = await vocabulary()
  const metadata = metadataFor(name, shape, tokenizer)
  const tensors = tensorsFor(shape, types, tokensOf(tokenizer).length)
  const sources = ['gguf.ts', 'hybrid.ts', 'layers.ts', 'random-blocks.ts', 'quantised-model.ts'].map(
    ownSource,
  )
  const inputs = [...sources, file, JSON.stringify([...metadata, ...tensors])]
  return cached(`quantised-${name}.gguf`, inputs, path =>
    step(`a model of random weights (${name})`, async () => write(path, metadata, tensors)),
  )
}

const metadataFor = (name: string, shape: Shape, tokenizer: Metadata): Metadata => {
  const { architecture, width, feedForward, heads, experts, slidingWindow, recurrent, drafts } = shape
  const layers = shape.layers + (drafts === undefined ? 0 : 1)
  const named = (values: Record<string, number>) =>
    Object.entries(values).map(([key, value]) => [`${architecture}.${key}`, uint32(value)] as const)
  return new Map([
    ...(experts === undefined
      ? []
      : named({
          expert_count: experts.all,
          expert_used_count: experts.used,
          expert_feed_forward_length: feedForward,
        })),
    ...(slidingWindow === undefined ? [] : named({ 'attention.sliding_window': slidingWindow })),
    ...(drafts === undefined ? [] : named({ nextn_predict_layers: 1 })),
    ...(recurrent === undefined ? [] : recurrentMetadata(architecture, recurrent, heads.size)),
    ['general.architecture', string(architecture)],
    ['general.name', string(name)],
    [`${architecture}.context_length`, uint32(shape.contextLimit ?? contextLimit)],
    [`${architecture}.embedding_length`, uint32(width)],
    [`${architecture}.block_count`, uint32(layers)],
    [`${architecture}.feed_forward_length`, uint32(feedForward)],
    [`${architecture}.attention.head_count`, uint32(heads.query)],
    [`${architecture}.attention.head_count_kv`, uint32(heads.keyValue)],
    [`${architecture}.attention.key_length`, uint32(heads.size)],
    [`${architecture}.attention.value_length`, uint32(heads.size)],
    [`${architecture}.attention.layer_norm_rms_epsilon`, float32(1e-5)],
    [`${architecture}.rope.dimension_count`, uint32(heads.size)],
    [`${architecture}.rope.freq_base`, float32(1e9)],
    [`${architecture}.vocab_size`, uint32(tokensOf(tokenizer).length)],
    ...tokenizer,
  ])
}

/** What a tensor's values are, and how they are stored. */
type Stored = TensorInfo & Pick<Weights, 'deviation' | 'isIdentity'>

const tensorsFor = (shape: Shape, types: QuantisedTypes, tokens: number): Stored[] =>
  weightsOf(shape, tokens).map(({ name, shape: lengths, deviation, isIdentity, kind }) => ({
    name,
    type: typeOf(kind, types),
    shape: lengths,
    ...(deviation !== undefined && { deviation }),
    ...(isIdentity && { isIdentity }),
  }))

function typeOf(kind: Weights['kind'], types: QuantisedTypes): TensorType {
  if (kind === 'vocabulary') return types.vocabulary
  return kind === 'small' ? 'float32' : types.layer(kind.matrix, kind.layer)
}

/** Writes tensor by tensor: the model as a whole need not fit into memory. */
function write(path: string, metadata: Metadata, tensors: Stored[]): void {
  const file = openSync(path, 'w')
  try {
    writeSync(file, encodeHead(metadata, tensors))
    for (const tensor of tensors) writeSync(file, padded(bytesOf(tensor, tensors)))
  } finally {
    closeSync(file)
  }
}

function bytesOf(tensor: Stored, tensors: Stored[]): Buffer {
  if (tensor.deviation !== undefined) return randomBlocks(tensor, tensor.deviation)
  if (tensor.isIdentity) return identity(tensor.shape)
  if (tensor.name !== output) return Buffer.from(new Float32Array(tensor.shape[0] ?? 0).fill(1).buffer)

  // Output row N + 1 is the embedding of token N, so that N + 1 follows N.
  const embedded = tensors.find(({ name }) => name === embeddings) ?? tensor
  const rows = randomBlocks(embedded, embedded.deviation ?? 1)
  const row = tensorBytes(embedded) / (embedded.shape[1] ?? 1)
  return Buffer.concat([rows.subarray(-row), rows.subarray(0, -row)])
}

function identity([columns = 0, rows = 0]: number[]): Buffer {
  const values = new Float32Array(columns * rows)
  for (let row = 0; row < rows; row++) values[row * columns + row] = 1
  return Buffer.from(values.buffer)
}
