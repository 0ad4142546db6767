/**
 * Devstral's whole 131,072 tokens of context, in no more memory than its plan: its attention, with layers so narrow that
 * the weights are small. Computing such a prompt would take this machine a day, so the KV cache is filled from a slot's
 * file, and an answer is computed at its end.
 */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gibibytes } from '../../lib/appliance/capacity.ts'
import { type KvType, memoryOf, sumOf } from '../../lib/appliance/memory.ts'
import { readGeometry } from '../../lib/steps/model-header.ts'
import { filesUnder } from '../../lib/system/files.ts'
import { residentSetOf } from '../../lib/system/processes.ts'
import { startBareLlama, unpackedLlama } from '../mirror/bare-llama.ts'
import { gridModels, settingsOf } from './memory.ts'

const contextSize = 131_072
const kvType: KvType = 'q8_0'
/** Tokens of the prompt: room is left for an answer. */
const filled = contextSize - 256
const generated = 8

const tokenAt = (index: number) => 300 + (index % 20_000)

/** Starts within the limit, fills the context, answers at its end; prints memory planned and taken. Throws on any failure. */
export async function benchFullContext(): Promise<void> {
  const { program, remove } = await unpackedLlama()
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-slots-'))
  const model = await gridModels.devstral()
  const { size } = statSync(model)
  const geometry = await readGeometry(model, size)
  const settings = { contextSize, slots: 1, kvType, batchSize: 256 }
  const limit = sumOf(memoryOf(geometry, size, settings))
  const group = limitedGroup(limit)
  console.log(`  ${contextSize} tokens, ${kvType}: planned, and allowed, ${gibibytes(limit)}`)
  const llama = await startBareLlama(
    'sh',
    { ...settingsOf(geometry, settings), LLAMA_ARG_MODEL: model, LLAMA_ARG_THREADS: '2' },
    ['-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', group, program, '--slot-save-path', folder],
  )
  try {
    const { layers, kvHeads, headSize } = geometry
    writeSlot(join(folder, 'full.kv'), { layers, row: (kvHeads * headSize * 34) / 32 })
    await llama.post('/slots/0?action=restore', { filename: 'full.kv' })
    rmSync(join(folder, 'full.kv'))
    const prompt = [...Array.from({ length: filled }, (_, index) => tokenAt(index)), 4000]
    const answer = (await llama.post('/completion', {
      prompt,
      n_predict: generated,
      id_slot: 0,
      cache_prompt: true,
      return_tokens: true,
      temperature: 0,
    })) as { tokens: number[]; timings: { cache_n: number; predicted_per_second: number } }
    const { tokens, timings } = answer
    const wanted = Array.from({ length: generated }, (_, index) => 4001 + index)
    if (tokens.join() !== wanted.join()) throw new Error(`it said ${tokens} in place of ${wanted}`)
    const taken = residentSetOf({ files: filesUnder('/') }, llama.pid ?? 0)
    console.log(
      `  ${timings.cache_n} tokens deep it says what it should: ${tokens.join(' ')}, ` +
        `at ${timings.predicted_per_second.toFixed(2)} tokens/s\n` +
        `  anonymous ${gibibytes(taken?.anonymous ?? 0)}, mapped ${gibibytes(taken?.file ?? 0)}, at most ${gibibytes(peakOf(group))} in the group`,
    )
  } finally {
    await llama.stop()
    rmSync(folder, { recursive: true, force: true })
    rmdirSync(group)
    remove()
  }
}

const roots = { v1: '/sys/fs/cgroup/memory', v2: '/sys/fs/cgroup' }
const isV1 = () => statSync(roots.v1, { throwIfNoEntry: false }) !== undefined

/** A control group of so many bytes, without swap where the kernel counts that. */
function limitedGroup(bytes: number): string {
  const group = join(isV1() ? roots.v1 : roots.v2, `slm-copilot-${process.pid}`)
  mkdirSync(group)
  writeFileSync(join(group, isV1() ? 'memory.limit_in_bytes' : 'memory.max'), String(bytes))
  return group
}

const peakOf = (group: string) =>
  Number(readFileSync(join(group, isV1() ? 'memory.max_usage_in_bytes' : 'memory.peak'), 'utf8'))

/** Numbers of 32 bits, little-endian. */
const words = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer)

/**
 * A slot's file, as llama.cpp's state_seq_save_file writes it: tokens, cells (position, sequences), then for keys and
 * values of each layer type, bytes of a row, rows. Random numbers of a small scale stand in for what would be computed.
 */
function writeSlot(path: string, { layers, row }: { layers: number; row: number }): void {
  const file = openSync(path, 'w')
  const cells = Array.from({ length: filled }, (_, index) => [index, 1, 0]).flat()
  writeSync(
    file,
    words(0x67677371, 3, filled, ...Array.from({ length: filled }, (_, index) => tokenAt(index))),
  )
  writeSync(file, words(1, filled, ...cells, 0, layers))
  const q8 = 8
  const rows = randomRows(row, 256)
  for (let tensor = 0; tensor < 2 * layers; tensor++) {
    writeSync(file, words(q8, row, 0))
    for (let written = 0; written < filled; written += 256)
      writeSync(file, rows, 0, Math.min(256, filled - written) * row)
  }
  closeSync(file)
}

/** Blocks of q8_0: a scale of 2^-10 as f16, and 32 numbers of a byte. */
function randomRows(row: number, count: number): Buffer {
  const rows = Buffer.from(Uint8Array.from({ length: row * count }, () => Math.floor(Math.random() * 256)))
  for (let block = 0; block < rows.length; block += 34) rows.writeUInt16LE(0x1400, block)
  return rows
}
