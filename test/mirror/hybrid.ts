/** The recurrent layers of a hybrid (gated delta net, as in qwen35moe): keys, matrices and other tensors. */
import { int32s, type Metadata, uint32 } from './gguf.ts'

export type Recurrent = {
  /** Every so many layers one has attention; the others are recurrent. */
  attentionInterval: number
  convolution: number
  /** Heads of keys and of values, and elements of each. */
  heads: { key: number; value: number; size: number }
  /** Elements of the feed-forward of the expert that every token uses. */
  sharedExpert: number
}

export type RecurrentMatrix = 'attn_qkv' | 'attn_gate' | 'ssm_out'
type Matrix<Name> = { matrix: Name; from: number; to: number }
type Part = { name: string; shape: number[] }

export const isRecurrent = ({ attentionInterval }: Recurrent, layer: number) =>
  (layer + 1) % attentionInterval !== 0

/** `rope`: elements of a head that are rotated; text uses the first of four sections. */
export function recurrentMetadata(architecture: string, recurrent: Recurrent, rope: number): Metadata {
  const { attentionInterval, convolution, heads, sharedExpert } = recurrent
  return new Map([
    [`${architecture}.full_attention_interval`, uint32(attentionInterval)],
    [`${architecture}.expert_shared_feed_forward_length`, uint32(sharedExpert)],
    [`${architecture}.ssm.conv_kernel`, uint32(convolution)],
    [`${architecture}.ssm.inner_size`, uint32(heads.value * heads.size)],
    [`${architecture}.ssm.state_size`, uint32(heads.size)],
    [`${architecture}.ssm.group_count`, uint32(heads.key)],
    [`${architecture}.ssm.time_step_rank`, uint32(heads.value)],
    [`${architecture}.rope.dimension_sections`, int32s([rope / 2, 0, 0, 0])],
  ])
}

/** What a recurrent layer has in place of the matrices of attention. */
export function recurrentMatrices({ heads }: Recurrent, width: number): Matrix<RecurrentMatrix>[] {
  const [keys, values] = [heads.key * heads.size, heads.value * heads.size]
  return [
    { matrix: 'attn_qkv', from: width, to: 2 * keys + values },
    { matrix: 'attn_gate', from: width, to: values },
    { matrix: 'ssm_out', from: values, to: width },
  ]
}

/** Its other tensors, which only decide what it remembers. */
export function recurrentParts({ heads, convolution }: Recurrent, width: number): Part[] {
  const [keys, values] = [heads.key * heads.size, heads.value * heads.size]
  return [
    { name: 'ssm_conv1d.weight', shape: [convolution, 2 * keys + values] },
    { name: 'ssm_dt.bias', shape: [heads.value] },
    { name: 'ssm_a', shape: [heads.value] },
    { name: 'ssm_beta.weight', shape: [width, heads.value] },
    { name: 'ssm_alpha.weight', shape: [width, heads.value] },
    { name: 'ssm_norm.weight', shape: [heads.size] },
  ]
}
