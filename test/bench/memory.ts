/** The planned memory compared with the real llama-server: the buffers that it logs, and the kernel's counters. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Geometry } from '../../lib/appliance/models/geometry.ts'
import type { Capacity } from '../../lib/appliance/sizing/capacity.ts'
import { hasAmx } from '../../lib/appliance/sizing/hardware.ts'
import {
  anonymousOf,
  checkpointsOf,
  type Memory,
  type MemoryFactors,
  MiB,
  memoryOf,
  residentOf,
} from '../../lib/appliance/sizing/memory.ts'
import { llamaSettings } from '../../lib/render/units/llama.ts'
import { allocator } from '../../lib/render/units/llama-settings.ts'
import { readModelFile } from '../../lib/steps/models/header.ts'
import { readFacts } from '../../lib/system/facts.ts'
import { filesUnder } from '../../lib/system/files.ts'
import { residentSetOf } from '../../lib/system/processes.ts'
import { type BareLlama, startBareLlama, unpackedLlama } from '../mirror/bare-llama.ts'
import type { Shape } from '../mirror/layers.ts'
import { allOf, q4KM, quantisedModel } from '../mirror/quantised-model.ts'
import { someTokens, writeSlotFile } from '../mirror/slot-file.ts'
import { capacityFor, tinyModel } from '../support/capacity.ts'

/** In bytes. */
export type Compared = { term: string; planned: number; measured: number }

/** The layouts of weights that can be measured on this machine: without AMX, and with AMX if its CPU has it. */
export const layouts = hasAmx(readFacts().cpu.features) ? ([false, true] as const) : ([false] as const)

/** llama-server with or without AMX: the library for CPUs with AMX is kept or removed. */
export const llamaFor = (amx: boolean) => unpackedLlama(amx ? [] : ['sapphirerapids'])

const small = { heads: { query: 12, keyValue: 4, size: 128 }, width: 1536, feedForward: 4864 }

/** `drafts`: those of a layer for multi-token prediction, if it has one. */
export const hybrid = (name: string, drafts?: Shape['drafts']) =>
  quantisedModel(
    name,
    {
      architecture: 'qwen35moe',
      width: 1024,
      layers: 8,
      feedForward: 512,
      heads: { query: 8, keyValue: 2, size: 256 },
      experts: { all: 32, used: 8 },
      recurrent: {
        attentionInterval: 4,
        convolution: 4,
        heads: { key: 8, value: 16, size: 128 },
        sharedExpert: 512,
      },
      ...(drafts !== undefined && { drafts }),
    },
    q4KM(8),
  )

/**
 * Shapes and quantisations: Devstral's attention with narrow layers, a wide model, one that is not repacked, a mixture
 * of experts, and one with a sliding window in every second layer.
 */
export const gridModels = {
  devstral: () =>
    quantisedModel(
      'devstral-narrow',
      {
        architecture: 'mistral3',
        width: 1024,
        layers: 40,
        feedForward: 1024,
        heads: { query: 32, keyValue: 8, size: 128 },
      },
      q4KM(40),
    ),
  wide: () => quantisedModel('wide', { architecture: 'llama', layers: 8, ...small }, allOf('q4_0')),
  plain: () => quantisedModel('plain', { architecture: 'llama', layers: 4, ...small }, allOf('q8_0')),
  mixture: () =>
    quantisedModel(
      'mixture',
      {
        architecture: 'qwen3moe',
        width: 1024,
        layers: 8,
        feedForward: 512,
        heads: { query: 16, keyValue: 4, size: 128 },
        experts: { all: 32, used: 8 },
      },
      q4KM(8),
    ),
  hybrid: () => hybrid('hybrid'),
  // With a layer that could draft tokens, and is not loaded.
  drafting: () => hybrid('drafts-right', 'right'),
  window: () =>
    quantisedModel(
      'window',
      {
        architecture: 'gpt-oss',
        width: 1536,
        layers: 8,
        feedForward: 1536,
        heads: { query: 24, keyValue: 8, size: 64 },
        experts: { all: 8, used: 4 },
        slidingWindow: 128,
      },
      allOf('mxfp4'),
    ),
}

const grid: MemoryFactors[] = [
  { contextSize: 4096, slots: 1, kvType: 'f16', batchSize: 256 },
  { contextSize: 4096, slots: 4, kvType: 'q8_0', batchSize: 256 },
  { contextSize: 4096, slots: 2, kvType: 'f16', batchSize: 1024 },
  { contextSize: 32_768, slots: 1, kvType: 'q8_0', batchSize: 128 },
  { contextSize: 32_768, slots: 2, kvType: 'q8_0', batchSize: 256 },
  { contextSize: 131_072, slots: 1, kvType: 'q8_0', batchSize: 64 },
]

/** Prints each point of the grid, and the largest error of the plan. */
export async function benchMemory(): Promise<void> {
  for (const amx of layouts) await benchLayout(amx)
}

async function benchLayout(amx: boolean): Promise<void> {
  const { program, remove } = await llamaFor(amx)
  const worst = { anonymous: 0, resident: 0 }
  try {
    console.log(amx ? 'With AMX' : 'Without AMX')
    console.log('  model      context slots KV   batch   anonymous, MiB      %   resident, MiB       %')
    for (const [name, make] of Object.entries(gridModels))
      for (const settings of grid) {
        const found = await compare(program, amx, await make(), settings)
        const [anonymous, resident] = [of(found, 'anonymous'), of(found, 'resident')]
        worst.anonymous = Math.max(worst.anonymous, Math.abs(errorOf(anonymous)))
        worst.resident = Math.max(worst.resident, Math.abs(errorOf(resident)))
        const { contextSize, slots, kvType, batchSize } = settings
        console.log(
          `  ${name.padEnd(9)}${String(contextSize).padStart(9)}${String(slots).padStart(6)} ${kvType.padEnd(5)}` +
            `${String(batchSize).padStart(5)}${pair(anonymous)}${pair(resident)}`,
        )
        for (const { term, planned, measured } of found.filter(
          ({ term }) => !/anonymous|resident/.test(term),
        ))
          if (Math.abs(planned - measured) > 0.05 * measured + 3 * MiB)
            console.log(`    ${term}: planned ${mebibytes(planned)}, logged ${mebibytes(measured)} MiB`)
      }
    console.log(
      `  planned / measured; off by at most ${percent(worst.anonymous)} (anonymous), ${percent(worst.resident)} (resident)`,
    )
  } finally {
    remove()
  }
}

const of = (found: Compared[], term: string) => found.find(each => each.term === term) as Compared
/** The error of the plan, relative to the measured value. */
export const errorOf = ({ planned, measured }: Compared) => planned / measured - 1
const mebibytes = (bytes: number) => (bytes / MiB).toFixed(0)
const percent = (share: number) => `${(share * 100).toFixed(1)} %`
const pair = (compared: Compared) =>
  `${`${mebibytes(compared.planned)} / ${mebibytes(compared.measured)}`.padStart(16)}${percent(errorOf(compared)).padStart(8)}`

/**
 * Starts llama-server with these settings as the appliance would, fills the context, and compares each buffer in its
 * log, its anonymous memory, and its resident memory with the plan.
 */
export async function compare(
  program: string,
  amx: boolean,
  model: string,
  settings: MemoryFactors,
): Promise<Compared[]> {
  const { size, geometry } = await readModelFile(model)
  const planned = memoryOf(geometry, size, settings, amx)
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-slots-'))
  const llama = await startBareLlama(
    program,
    { ...settingsOf(geometry, settings), LLAMA_ARG_MODEL: model, LLAMA_ARG_LOG_VERBOSITY: '4' },
    ['--slot-save-path', folder],
  )
  try {
    await fill(llama, folder, geometry, settings)
    const { anonymous, file } = residentSetOf({ files: filesUnder('/') }, llama.pid ?? 0) ?? {
      anonymous: 0,
      file: 0,
    }
    const { size: checkpoint, count } = checkpointsIn(llama.output())
    return [
      ...buffers(llama.output(), planned),
      {
        term: 'checkpoints',
        planned: planned.checkpoints,
        measured: checkpointsOf(geometry) * settings.slots * checkpoint,
      },
      { term: 'anonymous', planned: anonymousOf(planned), measured: anonymous - count * checkpoint },
      { term: 'resident', planned: residentOf(planned, size), measured: anonymous + file },
    ]
  } finally {
    await llama.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Memory does not depend on it, and on a busy machine, two threads that wait for each other are ten times slower. */
const threads = 1

/** The appliance's settings for a plan with exactly these numbers, and without a prompt cache in RAM. */
export function settingsOf(geometry: Geometry, { contextSize, slots, kvType, batchSize }: MemoryFactors) {
  const capacity: Capacity = capacityFor({ ...tinyModel, geometry }, { parallel: slots })
  const { LLAMA_ARG_HOST: _, ...settings } = llamaSettings({
    ...capacity,
    threads,
    contextSize,
    kvType,
    batchSize,
    memory: { ...capacity.memory, promptCache: 0 },
  })
  // Returns the buffers for restoring slot files to the kernel, so that they are not measured.
  return { ...settings, GLIBC_TUNABLES: `${allocator.GLIBC_TUNABLES}:glibc.malloc.mmap_threshold=1048576` }
}

/** With up to this many layers, this machine computes a batch at the end of a long context within a minute. */
const fewLayers = 8
/** With up to this many tokens, this machine computes the whole context within a minute. */
const shortContext = 4096

/**
 * Fills each slot's context, all but the last batch from a file, because computing it would take hours. For a model with
 * many layers, a window or recurrent layers, which such a file does not support, only computes a first batch or a short context.
 */
async function fill(
  llama: BareLlama,
  folder: string,
  geometry: Geometry,
  settings: MemoryFactors,
): Promise<void> {
  const { contextSize, batchSize, kvType, slots } = settings
  const tokens = someTokens(contextSize - 16)
  const hasCheckpoints = geometry.slidingWindow !== undefined || geometry.recurrent !== undefined
  const isDeep = geometry.layers <= fewLayers && !hasCheckpoints
  const computed = hasCheckpoints && contextSize <= shortContext ? contextSize : batchSize
  if (isDeep) {
    writeSlotFile(join(folder, 'slot.kv'), geometry, kvType, tokens.slice(0, -computed))
    for (let slot = 0; slot < slots; slot++)
      await llama.post(`/slots/${slot}?action=restore`, { filename: 'slot.kv' })
    rmSync(join(folder, 'slot.kv'))
  }
  const prompt = isDeep ? tokens : tokens.slice(0, computed)
  await llama.post('/completion', { prompt, n_predict: 2, cache_prompt: true, id_slot: slots - 1 })
}

/** Bytes of the first checkpoint in the log, and how many there are. */
function checkpointsIn(log: string): { size: number; count: number } {
  const created = [...log.matchAll(/created context checkpoint .* size = ([\d.]+) MiB/g)]
  return { size: Number(created[0]?.[1] ?? 0) * MiB, count: created.length }
}

/** The size of each buffer in the log, compared with the plan. */
function buffers(log: string, planned: Pick<Memory, 'repacked' | 'kvCache' | 'compute'>): Compared[] {
  const logged = (name: string) =>
    [...log.matchAll(new RegExp(`${name} buffer size = +([\\d.]+) MiB`, 'g'))].reduce(
      (sum, [, size]) => sum + Number(size) * MiB,
      0,
    )
  return [
    { term: 'copied weights', planned: planned.repacked, measured: logged('(?:CPU_REPACK|AMX) model') },
    { term: 'KV buffer', planned: planned.kvCache, measured: logged('CPU (?:KV|RS)') },
    { term: 'compute buffer', planned: planned.compute, measured: logged('CPU compute') },
  ]
}
