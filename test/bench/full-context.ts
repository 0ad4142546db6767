/**
 * A context of 131,072 tokens with Devstral's attention, in no more memory than planned; its layers are narrow, so that
 * the weights are small. Computing such a prompt would take a day, so the KV cache is restored from a slot file, and an
 * answer is computed at its end.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { elementTypes, gibibytes, type KvType, memoryOf, sumOf } from '../../lib/appliance/sizing/memory.ts'
import { readModelFile } from '../../lib/steps/models/header.ts'
import { filesUnder } from '../../lib/system/files.ts'
import { residentSetOf } from '../../lib/system/processes.ts'
import { startBareLlama, unpackedLlama } from '../mirror/bare-llama.ts'
import { rowSize, someTokens, writeSlotFile } from '../mirror/slot-file.ts'
import { gridModels, layouts, settingsOf } from './memory.ts'

const contextSize = 131_072
const kvType: KvType = 'q8_0'
/** Tokens of the prompt, leaving room for an answer. */
const filled = contextSize - 256
const generated = 4
const tokens = someTokens(filled)

/** Starts llama-server with a memory limit, fills the context, gets an answer; prints planned and used memory. */
export async function benchFullContext(): Promise<void> {
  const { program, remove } = await unpackedLlama()
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-slots-'))
  const model = await gridModels.devstral()
  const { size, geometry } = await readModelFile(model)
  const settings = { contextSize, slots: 1, kvType, batchSize: 256 }
  // Restoring a slot file takes additional memory for the rows of one tensor.
  const limit =
    sumOf(memoryOf(geometry, size, settings, layouts.at(-1) === true)) +
    filled * rowSize(geometry, elementTypes[kvType].values)
  const group = limitedGroup(limit)
  console.log(`  ${contextSize} tokens, ${kvType}: planned and limited to ${gibibytes(limit)}`)
  const llama = await startBareLlama(
    'sh',
    { ...settingsOf(geometry, settings), LLAMA_ARG_MODEL: model, LLAMA_ARG_THREADS: '2' },
    ['-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', group, program, '--slot-save-path', folder],
  )
  try {
    writeSlotFile(join(folder, 'full.kv'), geometry, kvType, tokens)
    await llama.post('/slots/0?action=restore', { filename: 'full.kv' })
    rmSync(join(folder, 'full.kv'))
    const answer = (await llama.post('/completion', {
      prompt: [...tokens, 4000],
      n_predict: generated,
      id_slot: 0,
      cache_prompt: true,
      return_tokens: true,
      temperature: 0,
    })) as { tokens: number[]; timings: { cache_n: number; predicted_per_second: number } }
    const { tokens: said, timings } = answer
    const wanted = Array.from({ length: generated }, (_, index) => 4001 + index)
    if (said.join() !== wanted.join()) throw new Error(`it answered ${said} instead of ${wanted}`)
    const taken = residentSetOf({ files: filesUnder('/') }, llama.pid ?? 0)
    console.log(
      `  after ${timings.cache_n} tokens it gives the right answer: ${said.join(' ')}, ` +
        `at ${timings.predicted_per_second.toFixed(2)} tokens/s\n` +
        `  anonymous ${gibibytes(taken?.anonymous ?? 0)}, mapped ${gibibytes(taken?.file ?? 0)}, peak of the control group ${gibibytes(peakOf(group))}`,
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

/** Creates a control group with this memory limit, in bytes. */
function limitedGroup(bytes: number): string {
  const group = join(isV1() ? roots.v1 : roots.v2, `slm-copilot-${process.pid}`)
  mkdirSync(group)
  writeFileSync(join(group, isV1() ? 'memory.limit_in_bytes' : 'memory.max'), String(bytes))
  return group
}

const peakOf = (group: string) =>
  Number(readFileSync(join(group, isV1() ? 'memory.max_usage_in_bytes' : 'memory.peak'), 'utf8'))
