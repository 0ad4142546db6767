/** What a GGUF header says of a model that decides its memory and its speed. */
import * as z from 'zod'

export const geometrySchema = z.strictObject({
  /** Transformer blocks that keep a KV cache. */
  layers: z.int().positive(),
  kvHeads: z.int().positive(),
  /** Elements of one key, and of one value, of one head. */
  headSize: z.int().positive(),
  /** Elements of all query heads together. */
  queries: z.int().positive(),
  embedding: z.int().positive(),
  /** Elements that the feed-forward has for one token: in a mixture of experts, all those used together. */
  feedForward: z.int().positive(),
  /** Elements of what all experts used answer for one token; absent where there are no experts. */
  expertAnswers: z.int().positive().optional(),
  vocabulary: z.int().positive(),
  /** Rules of the tokenizer (`tokenizer.ggml.merges`). */
  merges: z.int().nonnegative(),
  /** Of the layers, those that look back no further than a window of tokens. */
  slidingWindow: z.strictObject({ layers: z.int().positive(), tokens: z.int().positive() }).optional(),
  /** Bytes of the weights that llama-server copies into a faster layout on a CPU with AVX2, or with Arm's dot product. */
  repackable: z.int().nonnegative(),
  /** Bytes of weights that are read for each token generated. */
  active: z.int().positive(),
  /** Parameters that take part in computing each token. */
  activeParameters: z.int().positive(),
})

export type Geometry = z.infer<typeof geometrySchema>

/** A GGUF header (docs/gguf.md of ggml-org/ggml). */
export type Header = {
  metadata: Readonly<Record<string, unknown>>
  tensors: { name: string /** ggml's number of the type. */; type: number; shape: number[]; bytes: number }[]
}

/** Q4_0, Q4_K, IQ4_NL, MXFP4: what a CPU with AVX2 computes faster in another layout (llama.cpp, ggml-cpu/repack.cpp). */
const repackableTypes = new Set([2, 12, 20, 39])

const sum = (numbers: number[]) => numbers.reduce((all, number) => all + number, 0)

/** The geometry that a header tells. Throws where it lacks what every language model has. */
export function geometryOf({ metadata, tensors }: Header): Geometry {
  const architecture = String(metadata['general.architecture'])
  const optional = (key: string): number | undefined => {
    const value = metadata[`${architecture}.${key}`]
    const first = Array.isArray(value) ? Math.max(...value.map(Number)) : value
    return first === undefined ? undefined : Number(first)
  }
  const required = (key: string) => {
    const value = optional(key)
    if (value === undefined) throw new Error(`a GGUF header without ${architecture}.${key}`)
    return value
  }
  const length = (key: string) => (metadata[key] as unknown[] | undefined)?.length ?? 0

  const layers = required('block_count')
  const embedding = required('embedding_length')
  const experts = optional('expert_count') ?? 0
  const used = optional('expert_used_count') ?? 0
  const window = optional('attention.sliding_window')
  const share = (name: string) => (name.includes('_exps') ? used / experts : 1)
  // Without an output of its own, the embedding is the output too, and is copied as such.
  const isTied = tensors.every(({ name }) => name !== 'output.weight')
  const isRead = (name: string) => isTied || name !== 'token_embd.weight'
  const computed = tensors.filter(({ name }) => isRead(name))
  const repacked = computed.filter(
    ({ type, shape }) => shape.length > 1 && repackableTypes.has(type) && (shape[1] ?? 0) % 8 === 0,
  )
  const widths =
    experts === 0
      ? { feedForward: required('feed_forward_length') }
      : { feedForward: used * required('expert_feed_forward_length'), expertAnswers: used * embedding }
  const heads = required('attention.head_count')
  const headSize = optional('attention.key_length') ?? embedding / heads
  return {
    layers,
    kvHeads: optional('attention.head_count_kv') ?? heads,
    headSize,
    queries: heads * headSize,
    embedding,
    ...widths,
    vocabulary: length('tokenizer.ggml.tokens'),
    merges: length('tokenizer.ggml.merges'),
    // Every second layer in gpt-oss. Of others the pattern is not in the header: all count as if they looked back all the way.
    ...(architecture === 'gpt-oss' && window && { slidingWindow: { layers: layers / 2, tokens: window } }),
    repackable: sum(repacked.map(({ bytes }) => bytes)),
    active: Math.ceil(sum(computed.map(({ name, bytes }) => bytes * share(name)))),
    activeParameters: Math.ceil(
      sum(computed.map(({ name, shape }) => shape.reduce((all, size) => all * size, 1) * share(name))),
    ),
  }
}
