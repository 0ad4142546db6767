/** Untrusted headers of GGUF files: either valid, or a readable error, never NaN or undefined. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { modelPath } from '../../../../lib/appliance/paths.ts'
import {
  readModelFile,
  readModelStart,
  UnusableModelError,
  withOwnGeometry,
} from '../../../../lib/steps/models/header.ts'
import { planned } from '../../../../lifecycle/cli/plan.ts'
import {
  encodeGguf,
  float32,
  type Metadata,
  string,
  type TensorValues,
  uint32,
  type Value,
} from '../../../mirror/gguf.ts'
import { tinyModel } from '../../../support/capacity.ts'
import { recordedHost } from '../../../support/recorded-host.ts'

const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-header-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'm.gguf')

const layers = 2
const width = 64
const strings = (value: string[]): Value => ({ type: 'array', of: 'string', value })
const metadata = (changes: Record<string, Value | undefined> = {}): Metadata => {
  const all: Record<string, Value | undefined> = {
    'general.architecture': string('llama'),
    'llama.context_length': uint32(4096),
    'llama.embedding_length': uint32(width),
    'llama.block_count': uint32(layers),
    'llama.feed_forward_length': uint32(width),
    'llama.attention.head_count': uint32(2),
    'llama.attention.head_count_kv': uint32(1),
    'tokenizer.ggml.tokens': strings(['a', 'b', 'c']),
    'tokenizer.ggml.merges': strings(['a b']),
    ...changes,
  }
  return new Map(Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
}
const tensor = (name: string, ...shape: number[]): TensorValues => ({
  name,
  type: 'float32',
  shape,
  values: new Float32Array(shape.reduce((all, size) => all * size, 1)),
})
const tensors = ['token_embd.weight', 'output.weight', 'blk.0.attn_q.weight', 'blk.1.attn_q.weight'].map(
  name => tensor(name, width, name.startsWith('blk') ? width : 3),
)
const whole = encodeGguf(metadata(), tensors)

const write = (bytes: Buffer) => writeFileSync(path, bytes)
const plan = (options = {}) =>
  planned(recordedHost(), { model: path, memory: '8G', cpus: '2', ...options }, false)

it('plans a valid file within its own context limit', async () => {
  write(whole)
  expect((await readModelFile(path)).contextLimit).toBe(4096)
  expect(await plan()).toMatch(/context per conversation +4096 tokens/)
  expect(await plan({ context: 'auto' })).toMatch(/context per conversation +4096 tokens/)
  await expect(plan({ context: '8192' })).rejects.toThrow('--context 8192: takes at most 4096 tokens')
})

/** The file with the first occurrence of `from` replaced. */
function replaced(from: Buffer, to: Buffer): Buffer {
  const at = whole.indexOf(from)
  if (at < 0) throw new Error('no such bytes')
  return Buffer.concat([whole.subarray(0, at), to, whole.subarray(at + from.length)])
}
const u64 = (value: bigint) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
const withCounts = (count: bigint, pairs: bigint) =>
  Buffer.concat([whole.subarray(0, 8), u64(count), u64(pairs), whole.subarray(24)])
/** A tensor's entry in the header: name, dimensions, type, offset. */
const entry = (name: string, shape: number[], type: number, offset: bigint) =>
  Buffer.concat([
    u64(BigInt(name.length)),
    Buffer.from(name),
    u32(shape.length),
    ...shape.map(size => u64(BigInt(size))),
    u32(type),
    u64(offset),
  ])
const first = entry('token_embd.weight', [width, 3], 0, 0n)
const other = (shape: number[], type = 0, offset = 0n) =>
  replaced(first, entry('token_embd.weight', shape, type, offset))
const changed = (changes: Record<string, Value | undefined>) => encodeGguf(metadata(changes), tensors)

const cutOff = /truncated/
const bad: [string, Buffer, RegExp][] = [
  ['empty', Buffer.alloc(0), /not a GGUF file/],
  ['that is a web page', Buffer.from('<html>Log in</html>'), /not a GGUF file/],
  ['of zeros', Buffer.alloc(5000), /not a GGUF file/],
  [
    'of version 77',
    Buffer.concat([whole.subarray(0, 4), u32(77), whole.subarray(8)]),
    /version 77, and 2 or 3 is needed/,
  ],
  ['cut in half', whole.subarray(0, whole.length / 2), cutOff],
  ['a byte short', whole.subarray(0, -33), cutOff],
  [
    'cut within the header',
    whole.subarray(0, 300),
    /truncated|damaged|impossible|no tensors|missing|no general/,
  ],
  ['with 2^60 tensors', withCounts(2n ** 60n, 9n), cutOff],
  ['with 9,000,000 tensors', withCounts(9_000_000n, 9n), cutOff],
  ['with 2^60 entries', withCounts(4n, 2n ** 60n), cutOff],
  ['with 90,000 entries', withCounts(4n, 90_000n), cutOff],
  ['with a string of 4 GB', replaced(u64(20n), u64(4n * 10n ** 9n)), /exceeds maximum/],
  ['with a string of 9 MB', replaced(u64(20n), u64(9n * 10n ** 6n)), /truncated|Unsupported|exceeds/],
  ['without tensors', encodeGguf(metadata(), []), /contains no tensors/],
  [
    'that is one shard of three',
    changed({ 'split.count': uint32(3), 'split.no': uint32(0) }),
    /one of 3 parts of a split model\. Join/,
  ],
  ['without an architecture', changed({ 'general.architecture': undefined }), /has no general\.architecture/],
  ['of architecture 7', changed({ 'general.architecture': uint32(7) }), /has no general\.architecture/],
  [
    'of an architecture with an escape',
    changed({ 'general.architecture': string('\u001b[2J') }),
    /has no general\.arch/,
  ],
  [
    'of an architecture without its keys',
    changed({ 'general.architecture': string('clip') }),
    /clip\..* is missing/,
  ],
  ['without layers', changed({ 'llama.block_count': uint32(0) }), /block_count is 0/],
  [
    'with more layers than tensors',
    changed({ 'llama.block_count': uint32(2 ** 31) }),
    /not a whole number|layers/,
  ],
  ['without heads', changed({ 'llama.attention.head_count': uint32(0) }), /head_count is 0/],
  ['with 0 heads for keys', changed({ 'llama.attention.head_count_kv': uint32(0) }), /kvHeads is invalid/],
  ['with 7 heads for 64', changed({ 'llama.attention.head_count': uint32(7) }), /headSize is invalid/],
  ['with half a head', changed({ 'llama.attention.head_count': float32(1.5) }), /not a whole number/],
  ['with heads in words', changed({ 'llama.attention.head_count': string('two') }), /not a whole number/],
  ['with negative heads', changed({ 'llama.attention.head_count': float32(-2) }), /not a whole number/],
  ['without a context', changed({ 'llama.context_length': undefined }), /context_length is missing/],
  ['with a context of 12', changed({ 'llama.context_length': uint32(12) }), /12 tokens/],
  ['without a vocabulary', changed({ 'tokenizer.ggml.tokens': undefined }), /vocabulary is invalid/],
  [
    'with a vocabulary in words',
    changed({ 'tokenizer.ggml.tokens': string('many') }),
    /vocabulary is invalid/,
  ],
  [
    'with more experts used than present',
    changed({ 'llama.expert_used_count': uint32(4), 'llama.expert_count': uint32(2) }),
    /invalid: 4 of 2 used/,
  ],
  ['with an alignment of 0', changed({ 'general.alignment': uint32(0) }), /alignment/],
  ['with five dimensions', other([2, 2, 2, 2, 12]), /impossible shape/],
  [
    'with 99 dimensions',
    replaced(first, Buffer.concat([u64(17n), Buffer.from('token_embd.weight'), u32(99)])),
    /n_dims/,
  ],
  ['with a dimension of 0', other([width, 0]), /impossible shape/],
  ['with a dimension of 2^32', other([2 ** 32, 3]), cutOff],
  ['with a tensor of an unknown type', other([width, 3], 4242), /unknown type 4242/],
  ['with half a block', other([width, 3], 12), /not a multiple of the block size 256/],
  ['with a tensor over another', other([width, 6]), /overlaps another/],
  ['with a tensor beyond the end', other([width, 3], 0, 2n ** 40n), cutOff],
  ['with a tensor at 2^64', other([width, 3], 0, 2n ** 64n - 32n), cutOff],
  ['with the same tensor twice', encodeGguf(metadata(), [...tensors, ...tensors.slice(0, 1)]), /same name/],
]

it.each(bad)('rejects a file %s', async (_, bytes, message) => {
  write(bytes)
  await expect(plan()).rejects.toThrow(message)
  await expect(plan()).rejects.toThrow(new RegExp(`^${path} cannot be used as a model: `))
})

/** The header alone, with the length of all that precedes the weights. */
const headerEnd = whole.length - tensors.reduce((all, { values }) => all + 4 * values.length, 0)

describe('the start of a file that is being downloaded', () => {
  const start = (bytes: Buffer, size = whole.length) => {
    write(bytes)
    return readModelStart(path, size, 'https://models.example.com/m.gguf')
  }

  it('is enough once it has the whole header', async () => {
    write(whole)
    const all = await readModelFile(path)
    expect(await start(whole.subarray(0, headerEnd + 32))).toEqual(all)
    expect(await start(whole)).toEqual(all)
  })

  it.each([100, 300, headerEnd - 40])('says nothing yet after %d bytes', async length => {
    expect(await start(whole.subarray(0, length))).toBeUndefined()
  })

  it.each<[string, Buffer, number, RegExp]>([
    ['is not a model', Buffer.from('<html>Log in</html>'), whole.length, /it is not a GGUF file/],
    ['is of a file too short for its weights', whole.subarray(0, headerEnd), whole.length - 64, /truncated/],
  ])('names its source if it %s', async (_, bytes, size, message) => {
    await expect(start(bytes, size)).rejects.toThrow(message)
    await expect(start(bytes, size)).rejects.toThrow('https://models.example.com/m.gguf cannot be used')
  })

  it('is an unusable model, which another attempt would not change', async () => {
    const failed = start(Buffer.from('<html>Log in</html>'))
    await expect(failed).rejects.toThrow(UnusableModelError)
    await expect(failed).rejects.toThrow(
      /^https:\/\/models\.example\.com\/m\.gguf cannot be used as a model: .*[^.]\.$/,
    )
  })
})

describe('a model of the release', () => {
  const model = { ...tinyModel, contextLimit: 4096 }
  const file = modelPath(model.name)
  const own = async (changes: Partial<typeof model> = {}) => {
    const host = recordedHost()
    host.files.makeFolder(dirname(file))
    writeFileSync(host.files.at(file), whole)
    return { found: await withOwnGeometry(host, { ...model, ...changes }), lines: host.lines }
  }

  it('is planned as the catalogue says while it is not there', async () => {
    const host = recordedHost()
    expect(await withOwnGeometry(host, model)).toEqual(model)
    expect(host.lines).toEqual([])
  })

  it('is planned as its file says, with a warning if that differs', async () => {
    write(whole)
    const { geometry } = await readModelFile(path)
    expect(await own({ geometry })).toEqual({ found: { ...model, geometry }, lines: [] })
    const { found, lines } = await own()
    expect(found).toEqual({ ...model, geometry })
    expect(lines).toEqual([expect.stringMatching(/^tiny: its header differs from the catalogue.*"layers":2/)])
  })

  it.each([
    [2048, 2048, []],
    [4096, 4096, []],
    [8192, 4096, ['tiny: its header allows a context of 4096 tokens, not 8192']],
  ])(
    'has the smaller limit of the two: %d tokens in the catalogue',
    async (contextLimit, limit, warnings) => {
      write(whole)
      const { geometry } = await readModelFile(path)
      const { found, lines } = await own({ geometry, contextLimit })
      expect(found.contextLimit).toBe(limit)
      expect(lines).toEqual(warnings)
    },
  )
})

it('rejects anything but a regular file, without blocking', async () => {
  const made: [string, (at: string) => void, RegExp][] = [
    ['folder.gguf', at => mkdirSync(at), /it is a folder/],
    ['pipe.gguf', at => execFileSync('mkfifo', [at]), /not a regular file/],
    ['device.gguf', at => symlinkSync('/dev/zero', at), /not a regular file/],
    ['nowhere.gguf', at => symlinkSync('/nowhere', at), /does not exist/],
  ]
  for (const [name, make, message] of made) {
    make(join(folder, name))
    await expect(plan({ model: join(folder, name) })).rejects.toThrow(message)
  }
})

it('plans or rejects a header with any bytes changed, quickly and with a readable error', async () => {
  const headerEnds = whole.length - 2 * (width * width + width * 3) * 4
  const change = fc.record({
    at: fc.integer({ min: 4, max: headerEnds - 1 }),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      fc.constantFrom([0, 0, 0, 0], [255, 255, 255, 255], [255, 255, 255, 255, 255, 255, 255, 127]),
    ),
  })
  const outcomes = { planned: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async changes => {
      const bytes = Buffer.from(whole)
      for (const { at, bytes: some } of changes) bytes.set(Array.from(some).slice(0, bytes.length - at), at)
      write(bytes)
      const start = Date.now()
      const text = await plan().catch((error: Error) => error)
      expect(Date.now() - start).toBeLessThan(10_000)
      if (text instanceof Error) {
        outcomes.refused += 1
        expect(text.message).toMatch(/cannot be used as a model: .{5,}\.|does not fit into|--context/)
      } else {
        outcomes.planned += 1
        expect(text).not.toMatch(/NaN|Infinity|undefined/)
      }
    }),
    { numRuns: Number(process.env.HEADER_RUNS ?? 150), endOnFailure: true },
  )
  expect(outcomes.planned).toBeGreaterThan(0)
  expect(outcomes.refused).toBeGreaterThan(0)
}, 60_000)
