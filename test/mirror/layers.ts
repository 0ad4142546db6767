/** The tensors of a model of any shape, layer by layer, and how large their values are. */
import type { ChainSize } from './chain-model.ts'
import {
  isRecurrent,
  type Recurrent,
  type RecurrentMatrix,
  recurrentMatrices,
  recurrentParts,
} from './hybrid.ts'

type Architecture = 'llama' | 'mistral3' | 'qwen3moe' | 'gpt-oss' | 'qwen35moe'

export type Shape = ChainSize & {
  architecture: Architecture
  /** In tokens; by default Devstral's. */
  contextLimit?: number
  /** For a mixture of experts: how many there are, each `feedForward` wide, and how many are used per token. */
  experts?: { all: number; used: number }
  /** The attention window of every second layer, in tokens (gpt-oss). */
  slidingWindow?: number
  /** The recurrent layers of a hybrid (qwen35moe). */
  recurrent?: Recurrent
  /** Whether a layer after the others drafts the token after the next, and whether its drafts are right (qwen35moe). */
  drafts?: 'right' | 'wrong'
}

/** The matrices of a layer, by their names in GGUF. */
export type Matrix = AttentionMatrix | RecurrentMatrix | ExpertMatrix | `${ExpertMatrix}_shexp`
type AttentionMatrix = 'attn_q' | 'attn_k' | 'attn_v' | 'attn_output'
type ExpertMatrix = 'ffn_gate' | 'ffn_up' | 'ffn_down'

type MatrixShape = { matrix: Matrix; from: number; to: number }

/** A tensor, without the type in which its values are stored. */
export type Weights = {
  name: string
  shape: number[]
  kind: 'vocabulary' | 'small' | { matrix: Matrix; layer: number }
  /** Standard deviation of the values. Without one, all are 1 (norms), or those of the embeddings (output). */
  deviation?: number
  /** The values are an identity matrix, beside zeros. */
  isIdentity?: true
}

export const embeddings = 'token_embd.weight'
export const output = 'output.weight'

export const weightsOf = (shape: Shape, tokens: number): Weights[] => [
  { name: embeddings, kind: 'vocabulary', shape: [shape.width, tokens], deviation: 1 },
  norm('output_norm', shape.width),
  { name: output, kind: 'vocabulary', shape: [shape.width, tokens] },
  ...Array.from({ length: shape.layers }, (_, index) => layerOf(shape, index)).flat(),
  ...draftingLayer(shape),
]

/**
 * A layer with attention, whose input is the last token's embedding beside what the layers before made of the one before
 * it. Passing on the embedding makes its drafts right, since each token has one successor.
 */
function draftingLayer(shape: Shape): Weights[] {
  const { width, layers, drafts, recurrent } = shape
  if (drafts === undefined) return []
  const project: Weights = {
    name: `blk.${layers}.nextn.eh_proj.weight`,
    kind: 'small',
    shape: [2 * width, width],
  }
  return [
    ...layerOf({ ...shape, ...(recurrent && { recurrent: { ...recurrent, attentionInterval: 1 } }) }, layers),
    norm(`blk.${layers}.nextn.enorm`, width),
    norm(`blk.${layers}.nextn.hnorm`, width),
    drafts === 'right' ? { ...project, isIdentity: true } : { ...project, deviation: 1 / Math.sqrt(width) },
  ]
}

const norm = (name: string, size: number): Weights => ({
  name: `${name}.weight`,
  kind: 'small',
  shape: [size],
})

/** Required tensors with no effect on the answer: their values only decide which experts are used. */
const faint = (name: string, shape: number[]): Weights => ({ name, kind: 'small', shape, deviation: 1e-6 })

function layerOf(shape: Shape, index: number): Weights[] {
  const { architecture, width, layers, experts, recurrent } = shape
  const block = `blk.${index}`
  const hasPostNorm = architecture === 'gpt-oss' || architecture === 'qwen35moe'
  // What a layer adds must be small beside the embedding, which determines the next token.
  const loudness = (matrix: Matrix) => (/^(attn_output|ssm_out|ffn_down)/.test(matrix) ? 0.01 / layers : 1)
  const expertsOf = (matrix: Matrix) => (/^ffn_[a-z]+$/.test(matrix) ? (experts?.all ?? 1) : 1)
  return [
    norm(`${block}.attn_norm`, width),
    norm(`${block}.${hasPostNorm ? 'post_attention_norm' : 'ffn_norm'}`, width),
    ...matricesOf(shape, index).map(({ matrix, from, to }) => ({
      name: `${block}.${matrix}${expertsOf(matrix) > 1 ? '_exps' : ''}.weight`,
      kind: { matrix, layer: index },
      shape: expertsOf(matrix) > 1 ? [from, to, expertsOf(matrix)] : [from, to],
      deviation: loudness(matrix) / Math.sqrt(from),
    })),
    ...(experts === undefined ? [] : [faint(`${block}.ffn_gate_inp.weight`, [width, experts.all])]),
    ...(recurrent === undefined ? [] : [faint(`${block}.ffn_gate_inp_shexp.weight`, [width])]),
    ...headNorms(shape, index).map(name => norm(`${block}.${name}`, shape.heads.size)),
    ...otherParts(shape, index).map(part => faint(`${block}.${part.name}`, part.shape)),
  ]
}

/** The layer's recurrent parameters; undefined for a layer with attention. */
const recurrentAt = ({ recurrent }: Shape, index: number) =>
  recurrent !== undefined && isRecurrent(recurrent, index) ? recurrent : undefined

function matricesOf(shape: Shape, index: number): MatrixShape[] {
  const { width, feedForward, heads, recurrent } = shape
  const [queries, keys] = [heads.query * heads.size, heads.keyValue * heads.size]
  const found = recurrentAt(shape, index)
  const attention: MatrixShape[] = [
    // A hybrid's queries have a gate each.
    { matrix: 'attn_q', from: width, to: recurrent === undefined ? queries : 2 * queries },
    { matrix: 'attn_k', from: width, to: keys },
    { matrix: 'attn_v', from: width, to: keys },
    { matrix: 'attn_output', from: queries, to: width },
  ]
  const shared = recurrent?.sharedExpert
  return [
    ...(found === undefined ? attention : recurrentMatrices(found, width)),
    { matrix: 'ffn_gate', from: width, to: feedForward },
    { matrix: 'ffn_up', from: width, to: feedForward },
    { matrix: 'ffn_down', from: feedForward, to: width },
    ...(shared === undefined ? [] : sharedExpert(width, shared)),
  ]
}

const sharedExpert = (width: number, feedForward: number): MatrixShape[] => [
  { matrix: 'ffn_gate_shexp', from: width, to: feedForward },
  { matrix: 'ffn_up_shexp', from: width, to: feedForward },
  { matrix: 'ffn_down_shexp', from: feedForward, to: width },
]

function headNorms(shape: Shape, index: number): string[] {
  const { architecture } = shape
  const has =
    architecture === 'qwen3moe' || (architecture === 'qwen35moe' && recurrentAt(shape, index) === undefined)
  return has ? ['attn_q_norm', 'attn_k_norm'] : []
}

function otherParts(shape: Shape, index: number): { name: string; shape: number[] }[] {
  const { architecture, width, feedForward, heads, experts } = shape
  const found = recurrentAt(shape, index)
  if (found !== undefined) return recurrentParts(found, width)
  if (architecture !== 'gpt-oss') return []
  const all = experts?.all ?? 1
  return [
    { name: 'attn_sinks.weight', shape: [heads.query] },
    { name: 'attn_output.bias', shape: [width] },
    { name: 'ffn_gate_inp.bias', shape: [all] },
    { name: 'ffn_gate_exps.bias', shape: [feedForward, all] },
    { name: 'ffn_up_exps.bias', shape: [feedForward, all] },
    { name: 'ffn_down_exps.bias', shape: [width, all] },
  ]
}
