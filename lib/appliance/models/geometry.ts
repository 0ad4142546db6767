/** The properties in a GGUF header that determine a model's memory and speed. */
import * as z from 'zod'
import { bytesOf, countsOf, elementsOf, type Header, lengthOf, type Tensor } from './gguf.ts'
import { amxPacking, repackedBytes } from './packing.ts'

export const geometrySchema = z.strictObject({
  /** Transformer blocks that keep a KV cache. */
  layers: z.int().positive(),
  kvHeads: z.int().positive(),
  /** Elements of one key, and of one value, of one head. */
  headSize: z.int().positive(),
  /** Elements of all query heads together. */
  queries: z.int().positive(),
  embedding: z.int().positive(),
  /** Elements of the feed-forward for one token: in a mixture of experts, of all active experts together. */
  feedForward: z.int().positive(),
  /** Elements of all active experts' outputs for one token; absent if there are no experts. */
  expertAnswers: z.int().positive().optional(),
  vocabulary: z.int().positive(),
  /** Merge rules of the tokenizer (`tokenizer.ggml.merges`). */
  merges: z.int().nonnegative(),
  /** The layers with sliding-window attention, and their window in tokens. */
  slidingWindow: z.strictObject({ layers: z.int().positive(), tokens: z.int().positive() }).optional(),
  /** A hybrid's recurrent layers (gated delta net): they keep a state of fixed size in place of a KV cache. */
  recurrent: z
    .strictObject({
      layers: z.int().positive(),
      /** Elements that the convolution takes of each token, and how many earlier tokens it reaches back. */
      convolved: z.int().positive(),
      history: z.int().nonnegative(),
      /** Elements of all value heads together. */
      values: z.int().positive(),
      /** Elements of one layer's state. */
      state: z.int().positive(),
    })
    .optional(),
  /** Bytes of weights that llama-server copies into a faster layout on CPUs with AVX2. */
  repackable: z.int().nonnegative(),
  /** Bytes of those that it copies on a CPU with AMX: in the file, and as copies. */
  amx: z.strictObject({ source: z.int().nonnegative(), copies: z.int().nonnegative() }),
  /** Bytes of weights read for each generated token. */
  active: z.int().positive(),
  /** Parameters that take part in computing each token. */
  activeParameters: z.int().positive(),
})

export type Geometry = z.infer<typeof geometrySchema>

const sum = (numbers: number[]) => numbers.reduce((all, number) => all + number, 0)

/** The geometry in a header. Throws if a required key is missing or has an impossible value. */
export function geometryOf(header: Header): Geometry {
  const { architecture, optional, required } = countsOf(header)
  const { tensors } = header
  const blocks = required('block_count')
  if (blocks > tensors.length)
    throw new Error(`its block_count says ${blocks} layers, but it has only ${tensors.length} tensors`)
  const recurrent = recurrentOf(header)
  // Layers for multi-token prediction come last. llama-server loads them only to draft tokens, which is disabled: on
  // CPUs that costs more than it saves (`make bench BENCH=next-tokens`).
  const loaded = blocks - (optional('nextn_predict_layers') ?? 0)
  const layers = loaded - (recurrent?.layers ?? 0)
  const embedding = required('embedding_length')
  const heads = required('attention.head_count')
  const headSize = optional('attention.key_length') ?? embedding / heads
  const experts = expertsOf(header)
  // A tied embedding is the output tensor too, and is copied as such.
  const isTied = tensors.every(({ name }) => name !== 'output.weight')
  const computed = tensors.filter(
    ({ name }) => (isTied || name !== 'token_embd.weight') && blockOf(name) < loaded,
  )
  const widths =
    experts === undefined
      ? { feedForward: required('feed_forward_length') }
      : {
          feedForward: experts.used * required('expert_feed_forward_length'),
          expertAnswers: experts.used * embedding,
        }
  const share = ({ name }: Tensor) => (name.includes('_exps') ? (experts?.share ?? 1) : 1)
  // Every second layer in gpt-oss. Other models' headers do not say which: all count as full attention.
  const windowed = architecture === 'gpt-oss' ? Math.floor(layers / 2) : 0
  const window = optional('attention.sliding_window') ?? 0
  return checked({
    layers,
    kvHeads: optional('attention.head_count_kv') ?? heads,
    headSize,
    queries: heads * headSize,
    embedding,
    ...widths,
    vocabulary: lengthOf(header, 'tokenizer.ggml.tokens'),
    merges: lengthOf(header, 'tokenizer.ggml.merges'),
    ...(recurrent !== undefined && { recurrent }),
    ...(windowed > 0 && window > 0 && { slidingWindow: { layers: windowed, tokens: window } }),
    repackable: repackedBytes(computed),
    amx: amxPacking(computed),
    active: Math.ceil(sum(computed.map(tensor => bytesOf(tensor) * share(tensor)))),
    activeParameters: Math.ceil(sum(computed.map(tensor => elementsOf(tensor) * share(tensor)))),
  })
}

/** The number of the block that a tensor belongs to; -1 if to none. */
const blockOf = (name: string) => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1)

/** The recurrent layers; undefined if there are none (llama.cpp, llama-hparams.cpp: n_embd_r, n_embd_s). */
function recurrentOf(header: Header): Geometry['recurrent'] {
  const layers = header.tensors.filter(({ name }) => /^blk\.\d+\.ssm_conv1d\.weight$/.test(name)).length
  if (layers === 0) return undefined
  const { required } = countsOf(header)
  const [inner, size] = [required('ssm.inner_size'), required('ssm.state_size')]
  return {
    layers,
    convolved: inner + 2 * required('ssm.group_count') * size,
    history: required('ssm.conv_kernel') - 1,
    values: inner,
    state: size * inner,
  }
}

/** How many experts a token uses, and their share of all experts; undefined if there are none. */
function expertsOf(header: Header): { used: number; share: number } | undefined {
  const { optional } = countsOf(header)
  const all = optional('expert_count') ?? 0
  const used = optional('expert_used_count') ?? 0
  if (all === 0 && header.tensors.every(({ name }) => !name.includes('_exps'))) return undefined
  if (used > 0 && used <= all) return { used, share: used / all }
  throw new Error(`its numbers of experts are invalid: ${used} of ${all} used`)
}

function checked(geometry: Geometry): Geometry {
  const result = geometrySchema.safeParse(geometry)
  if (result.success) return result.data
  const [first] = result.error.issues
  throw new Error(`its ${first?.path.join('.')} is invalid: ${first?.message}`)
}
