/** Validates GGUF headers: a file may come from anyone, so nothing in it is trusted. */

/** A GGUF header (docs/gguf.md of ggml-org/ggml). */
export type Header = {
  metadata: Readonly<Record<string, unknown>>
  tensors: Tensor[]
}

export type Tensor = {
  name: string
  /** ggml's number for the type. */
  type: number
  shape: number[]
  /** Bytes from the start of the tensors' data. */
  offset: number
}

/** Bytes at the start of the file that `checkStart` needs. */
export const startLength = 24
/** The fewest bytes that a tensor's entry takes, and that a key with its value takes. */
const leastTensor = 24
const leastPair = 13

/** Throws if the first bytes are not a GGUF file's, or declare more entries than such a file can hold. */
export function checkStart(start: DataView, size: number): void {
  if (start.byteLength < startLength) throw new Error('it is not a GGUF file')
  if (start.getUint32(0, false) !== magic) throw new Error('it is not a GGUF file')
  const version = start.getUint32(4, true)
  if (version !== 2 && version !== 3) throw new Error(`it has GGUF version ${version}, and 2 or 3 is needed`)
  const [tensors, pairs] = [start.getBigUint64(8, true), start.getBigUint64(16, true)]
  if (Number(tensors) * leastTensor + Number(pairs) * leastPair > size)
    throw new Error(
      `it is truncated: ${tensors} tensors and ${pairs} metadata keys do not fit into its ${size} bytes`,
    )
}

/** `GGUF`. */
const magic = 0x47475546

/** Type → elements and bytes of a block (ggml/include/ggml.h, ggml/src/ggml-common.h of llama.cpp). */
const blocks: Record<number, readonly [elements: number, bytes: number]> = {
  0: [1, 4], // F32
  1: [1, 2], // F16
  2: [32, 18], // Q4_0
  3: [32, 20], // Q4_1
  6: [32, 22], // Q5_0
  7: [32, 24], // Q5_1
  8: [32, 34], // Q8_0
  9: [32, 36], // Q8_1
  10: [256, 84], // Q2_K
  11: [256, 110], // Q3_K
  12: [256, 144], // Q4_K
  13: [256, 176], // Q5_K
  14: [256, 210], // Q6_K
  15: [256, 292], // Q8_K
  16: [256, 66], // IQ2_XXS
  17: [256, 74], // IQ2_XS
  18: [256, 98], // IQ3_XXS
  19: [256, 50], // IQ1_S
  20: [32, 18], // IQ4_NL
  21: [256, 110], // IQ3_S
  22: [256, 82], // IQ2_S
  23: [256, 136], // IQ4_XS
  24: [1, 1], // I8
  25: [1, 2], // I16
  26: [1, 4], // I32
  27: [1, 8], // I64
  28: [1, 8], // F64
  29: [256, 56], // IQ1_M
  30: [1, 2], // BF16
  34: [256, 54], // TQ1_0
  35: [256, 66], // TQ2_0
  39: [32, 17], // MXFP4
}

export const elementsOf = ({ shape }: Pick<Tensor, 'shape'>) => shape.reduce((all, size) => all * size, 1)

/** Bytes of a tensor's data. Throws if its type is unknown, or a row is not a whole number of blocks. */
export function bytesOf({ name, type, shape }: Pick<Tensor, 'name' | 'type' | 'shape'>): number {
  const block = blocks[type]
  if (block === undefined) throw new Error(`tensor ${quoted(name)} has the unknown type ${type}`)
  const [elements, bytes] = block
  if ((shape[0] ?? 1) % elements !== 0)
    throw new Error(
      `tensor ${quoted(name)} has rows of ${shape[0]}, not a multiple of the block size ${elements}`,
    )
  return (elementsOf({ shape }) / elements) * bytes
}

/** A name from the file, shortened, and without control characters for a terminal. */
const quoted = (name: string) => JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}...` : name)

/** Throws if a tensor has an impossible shape, overlaps another, or exceeds the file's `available` bytes. */
export function checkTensors(tensors: Tensor[], available: number): void {
  if (tensors.length === 0) throw new Error('it contains no tensors')
  const names = new Set(tensors.map(({ name }) => name))
  if (names.size < tensors.length) throw new Error('two of its tensors have the same name')
  let end = 0
  for (const tensor of tensors.toSorted((one, other) => one.offset - other.offset)) {
    const { name, shape, offset } = tensor
    if (shape.length < 1 || shape.length > 4 || shape.some(size => size < 1))
      throw new Error(`tensor ${quoted(name)} has the impossible shape [${shape.slice(0, 8).join(', ')}]`)
    if (offset < end) throw new Error(`tensor ${quoted(name)} overlaps another`)
    end = offset + bytesOf(tensor)
    // Negated, so that NaN counts as too large.
    if (!(end <= available))
      throw new Error(
        `it is truncated: tensor ${quoted(name)} ends at byte ${end} of the data, and the file has ${available}`,
      )
  }
}

/** Throws for one part of a split model. */
export function checkWhole({ 'split.count': count }: Header['metadata']): void {
  if (count === undefined || Number(count) <= 1) return
  throw new Error(
    `it is one of ${String(count).slice(0, 20)} parts of a split model. Join them with llama-gguf-split --merge`,
  )
}

/** The largest count that llama.cpp stores (int32_t). */
const most = 2 ** 31 - 1

/** Reads whole numbers from a header's metadata, by keys below its architecture. */
export function countsOf({ metadata }: Pick<Header, 'metadata'>) {
  const architecture = metadata['general.architecture']
  if (typeof architecture !== 'string' || !/^[a-z0-9._-]{1,64}$/i.test(architecture))
    throw new Error('it has no general.architecture')
  /** Undefined if the key is missing. Of a list with one value per layer, the largest. */
  const optional = (name: string): number | undefined => {
    const value = metadata[`${architecture}.${name}`]
    if (value === undefined) return undefined
    const values = Array.isArray(value) ? value : [value]
    const largest = values.reduce<number>((found, one) => Math.max(found, numberOf(one)), -1)
    if (Number.isInteger(largest) && largest >= 0 && largest <= most) return largest
    throw new Error(`its ${architecture}.${name} is not a whole number`)
  }
  const required = (name: string): number => {
    const value = optional(name)
    if (value !== undefined && value > 0) return value
    throw new Error(`its ${architecture}.${name} is ${value ?? 'missing'}`)
  }
  return { architecture, optional, required }
}

const numberOf = (value: unknown) =>
  typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN

/** How many entries a list has. */
export const lengthOf = ({ metadata }: Pick<Header, 'metadata'>, key: string): number => {
  const list = metadata[key]
  return Array.isArray(list) ? list.length : 0
}
