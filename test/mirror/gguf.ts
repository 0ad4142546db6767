/// <reference lib="esnext.float16" />
/** Writes GGUF files (version 3), and reads their metadata. */
// The format: docs/gguf.md of ggml-org/ggml. Everything is little-endian, as on x86-64.

const magic = 0x46554747 // "GGUF"
const version = 3
const alignment = 32 // the default if `general.alignment` is absent

/** The metadata types used here, and their numbers in the format. */
const typeIds = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const
/** The tensor types used here: number in the format, values per block, bytes per block (ggml/src/ggml-common.h). */
export const tensorTypes = {
  float32: { id: 0, values: 1, bytes: 4 },
  float16: { id: 1, values: 1, bytes: 2 },
  q4_0: { id: 2, values: 32, bytes: 18 },
  q8_0: { id: 8, values: 32, bytes: 34 },
  q2_K: { id: 10, values: 256, bytes: 84 },
  q4_K: { id: 12, values: 256, bytes: 144 },
  q5_K: { id: 13, values: 256, bytes: 176 },
  q6_K: { id: 14, values: 256, bytes: 210 },
  iq4_nl: { id: 20, values: 32, bytes: 18 },
  mxfp4: { id: 39, values: 32, bytes: 17 },
} as const
export type TensorType = keyof typeof tensorTypes

type NumberType = 'uint32' | 'int32' | 'float32'
export type Value =
  | { type: NumberType; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'array'; of: NumberType; value: number[] }
  | { type: 'array'; of: 'string'; value: string[] }
export type Metadata = Map<string, Value>

/** `shape`: in GGUF's order, the length of a row before the number of rows. */
export type TensorInfo = { name: string; type: TensorType; shape: number[] }
export type TensorValues = TensorInfo & { type: 'float32' | 'float16'; values: Float32Array }

export const uint32 = (value: number): Value => ({ type: 'uint32', value })
export const int32s = (value: number[]): Value => ({ type: 'array', of: 'int32', value })
export const float32 = (value: number): Value => ({ type: 'float32', value })
export const string = (value: string): Value => ({ type: 'string', value })

/** The bytes of a GGUF file: its head, then the aligned values of each tensor. */
export const encodeGguf = (metadata: Metadata, tensors: TensorValues[]): Buffer =>
  Buffer.concat([encodeHead(metadata, tensors), ...tensors.map(tensor => padded(valueBytes(tensor)))])

/** Everything before the values: header, metadata, list of tensors. The `padded` bytes of each tensor follow it. */
export function encodeHead(metadata: Metadata, tensors: TensorInfo[]): Buffer {
  let offset = 0
  const directory = tensors.flatMap(tensor => {
    const entry = [
      text(tensor.name),
      number('uint32', tensor.shape.length),
      ...tensor.shape.map(length64),
      number('uint32', tensorTypes[tensor.type].id),
      length64(offset),
    ]
    offset += aligned(tensorBytes(tensor))
    return entry
  })
  const head = [
    number('uint32', magic),
    number('uint32', version),
    length64(tensors.length),
    length64(metadata.size),
  ]
  const entries = [...metadata].flatMap(([key, value]) => [text(key), ...typedValue(value)])
  return padded(Buffer.concat([...head, ...entries, ...directory]))
}

const valuesOf = (shape: number[]) => shape.reduce((product, length) => product * length, 1)

/** The size of a tensor's values in bytes. Throws if a row is not a whole number of blocks. */
export function tensorBytes({ name, type, shape }: TensorInfo): number {
  const { values, bytes } = tensorTypes[type]
  const [row = 1] = shape
  if (row % values !== 0)
    throw new Error(`${name}: ${type} has blocks of ${values}, a row here ${row} values`)
  return (valuesOf(shape) / values) * bytes
}

/** Reads the metadata of a GGUF file. Throws on types that none of llama.cpp's vocabularies use. */
export function readMetadata(file: Buffer): Metadata {
  const cursor = { file, at: 0 }
  if (readNumber(cursor, 'uint32') !== magic) throw new Error('not a GGUF file: its first four bytes differ')
  const found = readNumber(cursor, 'uint32')
  if (found < 2 || found > version) throw new Error(`GGUF version ${found}; versions 2 and 3 are understood`)
  readLength(cursor) // the number of tensors
  const metadata: Metadata = new Map()
  for (let left = readLength(cursor); left > 0; left--) metadata.set(readText(cursor), readValue(cursor))
  return metadata
}

function valueBytes({ name, type, shape, values }: TensorValues): Buffer {
  const expected = valuesOf(shape)
  if (values.length !== expected)
    throw new Error(`${name}: ${values.length} values, its shape needs ${expected}`)
  const typed = type === 'float16' ? new Float16Array(values) : values
  return Buffer.from(typed.buffer, typed.byteOffset, typed.byteLength)
}

const aligned = (length: number) => Math.ceil(length / alignment) * alignment

/** Bytes, padded to the start of the next tensor. */
export const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)])

function number(type: NumberType, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  if (type === 'uint32') bytes.writeUInt32LE(value)
  if (type === 'int32') bytes.writeInt32LE(value)
  if (type === 'float32') bytes.writeFloatLE(value)
  return bytes
}

function length64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([length64(bytes.length), bytes])
}

function typedValue(value: Value): Buffer[] {
  const type = number('uint32', typeIds[value.type])
  if (value.type === 'bool') return [type, Buffer.from([Number(value.value)])]
  if (value.type === 'string') return [type, text(value.value)]
  if (value.type !== 'array') return [type, number(value.type, value.value)]

  const items = value.of === 'string' ? value.value.map(text) : numbers(value.of, value.value)
  return [type, number('uint32', typeIds[value.of]), length64(value.value.length), ...items]
}

const numbers = (type: NumberType, values: number[]) => values.map(value => number(type, value))

type Cursor = { file: Buffer; at: number }

function readNumber(cursor: Cursor, type: NumberType): number {
  const { file, at } = cursor
  cursor.at += 4
  if (type === 'uint32') return file.readUInt32LE(at)
  if (type === 'int32') return file.readInt32LE(at)
  return file.readFloatLE(at)
}

function readLength(cursor: Cursor): number {
  const length = Number(cursor.file.readBigUInt64LE(cursor.at))
  cursor.at += 8
  return length
}

function readText(cursor: Cursor): string {
  const start = cursor.at + 8
  cursor.at = start + readLength(cursor)
  return cursor.file.toString('utf8', start, cursor.at)
}

function readType(cursor: Cursor): keyof typeof typeIds {
  const id = readNumber(cursor, 'uint32')
  for (const type of Object.keys(typeIds) as (keyof typeof typeIds)[]) if (typeIds[type] === id) return type
  throw new Error(`GGUF metadata type ${id} is not understood here`)
}

function readValue(cursor: Cursor): Value {
  const type = readType(cursor)
  if (type === 'bool') return { type, value: cursor.file.readUInt8(cursor.at++) !== 0 }
  if (type === 'string') return { type, value: readText(cursor) }
  if (type !== 'array') return { type, value: readNumber(cursor, type) }

  const of = readType(cursor)
  const length = readLength(cursor)
  if (of === 'string') return { type, of, value: Array.from({ length }, () => readText(cursor)) }
  if (of === 'array' || of === 'bool') throw new Error(`a GGUF array of ${of} is not understood here`)
  return { type, of, value: Array.from({ length }, () => readNumber(cursor, of)) }
}
