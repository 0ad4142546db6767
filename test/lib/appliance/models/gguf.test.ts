/** A GGUF header may come from anyone: what is wrong with it, at each boundary. */
import { expect, it } from 'vitest'
import {
  bytesOf,
  checkStart,
  checkTensors,
  checkWhole,
  countsOf,
  lengthOf,
  type Tensor,
} from '../../../../lib/appliance/models/gguf.ts'

/** What it throws; undefined if nothing. */
function thrown(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const magic = 0x47475546
function start(first: number, version: number, tensors: number, pairs: number, length = 24): DataView {
  const view = new DataView(new ArrayBuffer(24))
  view.setUint32(0, first, false)
  view.setUint32(4, version, true)
  view.setBigUint64(8, BigInt(tensors), true)
  view.setBigUint64(16, BigInt(pairs), true)
  return new DataView(view.buffer, 0, length)
}

it.each([
  ['version 2', start(magic, 2, 1, 1), 37, undefined],
  ['version 3', start(magic, 3, 1, 1), 37, undefined],
  ['23 bytes', start(magic, 3, 0, 0, 23), 23, 'it is not a GGUF file'],
  ['another start', start(0x46554747, 3, 0, 0), 24, 'it is not a GGUF file'],
  ['version 1', start(magic, 1, 0, 0), 24, 'it has GGUF version 1, and 2 or 3 is needed'],
  ['version 4', start(magic, 4, 0, 0), 24, 'it has GGUF version 4, and 2 or 3 is needed'],
  [
    'a byte too few for its entries',
    start(magic, 3, 1, 1),
    36,
    'it is truncated: 1 tensors and 1 metadata keys do not fit into its 36 bytes',
  ],
  [
    'too many tensors',
    start(magic, 3, 1000, 0),
    23_999,
    'it is truncated: 1000 tensors and 0 metadata keys do not fit into its 23999 bytes',
  ],
])('the start of a file: %s', (_, view, size, problem) => {
  expect(thrown(() => checkStart(view, size))).toBe(problem)
})

const tensor = (name: string, offset: number, changes: Partial<Tensor> = {}): Tensor => ({
  name,
  offset,
  type: 0,
  shape: [4],
  ...changes,
})

it.each<[string, Tensor[], number, string | undefined]>([
  ['one', [tensor('a', 0)], 16, undefined],
  ['two, in any order', [tensor('b', 16), tensor('a', 0)], 32, undefined],
  ['two with a gap', [tensor('a', 0), tensor('b', 32)], 48, undefined],
  ['four dimensions', [tensor('a', 0, { shape: [1, 1, 1, 4] })], 16, undefined],
  ['none', [], 16, 'it contains no tensors'],
  ['two of one name', [tensor('a', 0), tensor('a', 16)], 32, 'two of its tensors have the same name'],
  ['an overlap', [tensor('b', 15), tensor('a', 0)], 32, 'tensor "b" overlaps another'],
  ['no dimension', [tensor('a', 0, { shape: [] })], 16, 'tensor "a" has the impossible shape []'],
  [
    'five dimensions',
    [tensor('a', 0, { shape: [1, 1, 1, 1, 1] })],
    16,
    'tensor "a" has the impossible shape [1, 1, 1, 1, 1]',
  ],
  [
    'a hundred dimensions, of which eight are shown',
    [tensor('a', 0, { shape: Array(100).fill(2) })],
    16,
    `tensor "a" has the impossible shape [${Array(8).fill(2).join(', ')}]`,
  ],
  [
    'an empty dimension',
    [tensor('a', 0, { shape: [4, 0] })],
    16,
    'tensor "a" has the impossible shape [4, 0]',
  ],
  [
    'a byte too few',
    [tensor('a', 0)],
    15,
    'it is truncated: tensor "a" ends at byte 16 of the data, and the file has 15',
  ],
  [
    'an offset that is not a number',
    [tensor('a', Number.NaN)],
    16,
    'it is truncated: tensor "a" ends at byte NaN of the data, and the file has 16',
  ],
  ['an unknown type', [tensor('a', 0, { type: 99 })], 16, 'tensor "a" has the unknown type 99'],
  [
    'a row that is no whole number of blocks',
    [tensor('a', 0, { type: 12, shape: [255] })],
    1000,
    'tensor "a" has rows of 255, not a multiple of the block size 256',
  ],
  [
    'a name of 60 characters',
    [tensor('a'.repeat(60), 0)],
    15,
    `it is truncated: tensor "${'a'.repeat(60)}" ends at byte 16 of the data, and the file has 15`,
  ],
  [
    'a longer name, shortened, without control characters',
    [tensor(`\u001b${'a'.repeat(60)}`, 0)],
    15,
    `it is truncated: tensor "\\u001b${'a'.repeat(56)}..." ends at byte 16 of the data, and the file has 15`,
  ],
])('tensors: %s', (_, tensors, available, problem) => {
  expect(thrown(() => checkTensors(tensors, available))).toBe(problem)
})

it.each([
  [0, [3, 5], 60],
  [1, [3], 6],
  [8, [64], 68],
  [12, [256, 2], 288],
  [39, [32], 17],
])('a tensor of type %d and shape %j has %d bytes', (type, shape, bytes) => {
  expect(bytesOf({ name: 'a', type, shape })).toBe(bytes)
})

it.each([
  [undefined, undefined],
  [0, undefined],
  [1, undefined],
  [1n, undefined],
  [2, '2'],
  [4n, '4'],
  ['9'.repeat(50), '9'.repeat(20)],
])('a split of %s parts is refused as one of %s', (count, parts) => {
  const problem = thrown(() => checkWhole(count === undefined ? {} : { 'split.count': count }))
  expect(problem).toBe(
    parts && `it is one of ${parts} parts of a split model. Join them with llama-gguf-split --merge`,
  )
})

it.each([
  ['llama', undefined],
  ['gpt-oss', undefined],
  ['a'.repeat(64), undefined],
  ['a'.repeat(65), 'it has no general.architecture'],
  ['', 'it has no general.architecture'],
  ['a b', 'it has no general.architecture'],
  ['a\n', 'it has no general.architecture'],
  [3, 'it has no general.architecture'],
  [['llama'], 'it has no general.architecture'],
  [undefined, 'it has no general.architecture'],
])('the architecture %j', (architecture, problem) => {
  expect(thrown(() => countsOf({ metadata: { 'general.architecture': architecture } }))).toBe(problem)
})

it.each([
  [undefined, undefined, 'its llama.x is missing'],
  [1, 1, 1],
  [32n, 32, 32],
  [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1],
  [0, 0, 'its llama.x is 0'],
  // One value per layer: the largest.
  [[1, 8n, 4], 8, 8],
  ...[2 ** 31, -1, 1.5, '8', true, null, [], [1, 'x'], [1, -1.5, 2.5], Number.POSITIVE_INFINITY].map(
    (value): [unknown, string, string] => [
      value,
      'its llama.x is not a whole number',
      'its llama.x is not a whole number',
    ],
  ),
])('the count %s: %s if it is optional, %s if it is required', (value, optional, required) => {
  const metadata = { 'general.architecture': 'llama', ...(value !== undefined && { 'llama.x': value }) }
  const counts = countsOf({ metadata })
  const outcome = (read: (name: string) => number | undefined) => {
    let found: number | undefined
    return (
      thrown(() => {
        found = read('x')
      }) ?? found
    )
  }
  expect(outcome(counts.optional)).toBe(optional)
  expect(outcome(counts.required)).toBe(required)
})

it.each([
  [['a', 'b'], 2],
  [[], 0],
  ['ab', 0],
  [undefined, 0],
])('%j has %d entries', (list, length) => {
  expect(lengthOf({ metadata: { list } }, 'list')).toBe(length)
})
