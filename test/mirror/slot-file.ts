/** Slot files as llama.cpp writes them (state_seq_save_file, version 3), with random numbers as keys and values. */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Geometry } from '../../lib/appliance/models/geometry.ts'
import { elementTypes, type KvType } from '../../lib/appliance/sizing/memory.ts'

/** ggml's number of the type, elements per block, bytes per block. */
const layouts = {
  f16: { type: 1, elements: 1, bytes: 2 },
  q8_0: { type: 8, elements: 32, bytes: 34 },
} as const

/** 2^-10 as f16: a small value, or the scale of a block of small values. */
const small = 0x1400

type Heads = Pick<Geometry, 'layers' | 'kvHeads' | 'headSize'>

type ElementType = keyof typeof layouts

/** Bytes of one token's keys, or of its values, in one layer. */
export const rowSize = ({ kvHeads, headSize }: Heads, type: ElementType) =>
  (kvHeads * headSize * layouts[type].bytes) / layouts[type].elements

/** This many ordinary text tokens. */
export const someTokens = (count: number) =>
  Array.from({ length: count }, (_, index) => 300 + (index % 20_000))

/** Writes the tokens, the cells (position, sequences), then keys and values by layer: type, row size, rows. */
export function writeSlotFile(path: string, heads: Heads, kvType: KvType, tokens: number[]): void {
  const { layers } = heads
  const file = openSync(path, 'w')
  try {
    writeSync(file, words([0x67677371, 3, tokens.length]))
    writeSync(file, words(tokens))
    writeSync(file, words([1, tokens.length]))
    writeSync(file, words(tokens.flatMap((_, index) => [index, 1, 0])))
    writeSync(file, words([0, layers]))
    const { keys, values } = elementTypes[kvType]
    for (let tensor = 0; tensor < 2 * layers; tensor++) {
      const type = tensor < layers ? keys : values
      const row = rowSize(heads, type)
      const rows = randomRows(row * 256, type)
      writeSync(file, words([layouts[type].type, row, 0]))
      for (let written = 0; written < tokens.length; written += 256)
        writeSync(file, rows, 0, Math.min(256, tokens.length - written) * row)
    }
  } finally {
    closeSync(file)
  }
}

/** 32-bit integers, little-endian. */
const words = (values: number[]) => Buffer.from(Uint32Array.from(values).buffer)

function randomRows(bytes: number, type: ElementType): Buffer {
  const rows = Buffer.from(Uint8Array.from({ length: bytes }, () => Math.floor(Math.random() * 256)))
  for (let block = 0; block < bytes; block += layouts[type].bytes) rows.writeUInt16LE(small, block)
  return rows
}
