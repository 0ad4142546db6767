/// <reference lib="esnext.float16" />
/** Random weights in llama.cpp's quantised formats: the same in each run, uniform around zero. */
import { createCipheriv, createHash } from 'node:crypto'
import { type TensorInfo, type TensorType, tensorBytes, tensorTypes } from './gguf.ts'

/** Random values for a tensor, with this standard deviation; its name is the seed. */
export function randomBlocks(tensor: TensorInfo, deviation: number): Buffer {
  const bytes = noise(tensor.name, tensorBytes(tensor))
  const size = tensorTypes[tensor.type].bytes
  for (let at = 0; at < bytes.length; at += size) tame[tensor.type](bytes, at, deviation)
  return bytes
}

/** Pseudo-random bytes: the keystream of AES in counter mode. */
function noise(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

type Tame = (block: Buffer, at: number, deviation: number) => void

const half = (block: Buffer, at: number, value: number) =>
  new DataView(block.buffer, block.byteOffset).setFloat16(at, value, true)

/** The standard deviation of this many consecutive integers. */
const spread = (steps: number) => Math.sqrt((steps ** 2 - 1) / 12)

/** For blocks that consist of a scale and random steps. */
const scaled =
  (deviationOfSteps: number): Tame =>
  (block, at, deviation) =>
    half(block, at, deviation / deviationOfSteps)

/** For super-blocks with a scale and a minimum at `head`: sets those of all sub-blocks to 1. */
const superBlock =
  (steps: number, head: number, ones: { at: number; bytes: number[] }): Tame =>
  (block, at, deviation) => {
    const scale = deviation / spread(steps)
    half(block, at + head, scale)
    half(block, at + head + 2, (scale * (steps - 1)) / 2)
    block.set(ones.bytes, at + ones.at)
  }

// Eight scales and eight minima of six bits each (get_scale_min_k4 in ggml-quants.c), all 1.
const sixBitOnes = [...Array(8).fill(1), ...Array(4).fill(0x11)]

/** Overwrites what must not be random in a block, which is its scales (the structs are in ggml/src/ggml-common.h). */
const tame: Record<TensorType, Tame> = {
  // One of two values: random exponents would give infinities.
  float32: (block, at, deviation) => block.writeFloatLE((block[at] ?? 0) & 1 ? deviation : -deviation, at),
  float16: (block, at, deviation) => half(block, at, (block[at] ?? 0) & 1 ? deviation : -deviation),
  q4_0: scaled(spread(16)),
  q8_0: scaled(spread(256)),
  iq4_nl: scaled(67.2), // the standard deviation of the type's table of values
  q2_K: superBlock(4, 80, { at: 0, bytes: Array(16).fill(0x11) }),
  q4_K: superBlock(16, 0, { at: 4, bytes: sixBitOnes }),
  q5_K: superBlock(32, 0, { at: 4, bytes: sixBitOnes }),
  q6_K: (block, at, deviation) => {
    block.fill(1, at + 192, at + 208)
    half(block, at + 208, deviation / spread(64))
  },
  // Values are ± 0, 1, 2, 3, 4, 6, 8 or 12, times 2 ^ (exponent - 128).
  mxfp4: (block, at, deviation) => {
    block[at] = 128 + Math.round(Math.log2(deviation / 5.85))
  },
}
