/** Which weights llama-server copies into a faster layout when it loads a model, by the kind of CPU. */
import { bytesOf, elementsOf, type Tensor } from './gguf.ts'

/** Bytes of the copied weights: in the file, and as copies. */
export type Packing = { source: number; copies: number }

/** Q4_0, Q4_K, IQ4_NL, MXFP4: faster in another layout with AVX2 (llama.cpp, ggml-cpu/repack.cpp). */
const repackableTypes = new Set([2, 12, 20, 39])

const isRepackable = ({ type, shape }: Tensor) =>
  shape.length > 1 && repackableTypes.has(type) && (shape[1] ?? 0) % 8 === 0

/**
 * Type → elements that a row must be a multiple of, elements of a block, and bytes added to each block
 * (llama.cpp, ggml-cpu/amx: supports_op in amx.cpp, get_row_size in mmq.cpp). F16 is copied unchanged.
 */
const amxTypes: Record<number, { alignment: number; block: number; added: number }> = {
  1: { alignment: 16, block: 1, added: 0 }, // F16
  2: { alignment: 32, block: 32, added: 0 }, // Q4_0
  3: { alignment: 32, block: 32, added: 0 }, // Q4_1
  8: { alignment: 32, block: 32, added: 4 }, // Q8_0
  12: { alignment: 256, block: 256, added: 4 }, // Q4_K
  13: { alignment: 256, block: 256, added: 4 }, // Q5_K
  14: { alignment: 256, block: 256, added: 0 }, // Q6_K
  23: { alignment: 256, block: 256, added: 2 }, // IQ4_XS
}
/** Rows must be a multiple of this: as many as AMX computes at once. */
const amxRows = 32

/** AMX's parameters for a tensor; undefined if AMX cannot compute it. It has no operation for experts. */
function amxTypeOf({ name, type, shape }: Tensor) {
  const [columns = 0, rows = 0] = shape
  const found = amxTypes[type]
  const fits = found !== undefined && columns % found.alignment === 0 && rows % amxRows === 0
  return fits && shape.length === 2 && !name.includes('_exps') ? found : undefined
}

const sum = (numbers: number[]) => numbers.reduce((all, number) => all + number, 0)

/** Bytes copied on a CPU with AVX2. */
export const repackedBytes = (tensors: Tensor[]): number => sum(tensors.filter(isRepackable).map(bytesOf))

/** What is copied on a CPU with AMX: all that AMX can compute, and of the rest what other CPUs repack. */
export function amxPacking(tensors: Tensor[]): Packing {
  const copied = tensors.filter(tensor => amxTypeOf(tensor) !== undefined || isRepackable(tensor))
  const addedTo = (tensor: Tensor) => {
    const { block = 1, added = 0 } = amxTypeOf(tensor) ?? {}
    return (elementsOf(tensor) / block) * added
  }
  const source = sum(copied.map(bytesOf))
  return { source, copies: source + sum(copied.map(addedTo)) }
}
