/** The speed to expect before anything is measured: tokens per second of a single conversation. */
import type { Geometry } from '../models/geometry.ts'
import type { KvType } from './memory.ts'
import type { Speed } from './speed.ts'

export type SpeedRange = { least: number; most: number }

/** Bytes per second. */
export const gigabyte = 1e9

/** Memory bandwidth of typical machines, where the actual one is unknown: two and eight channels. */
export const bandwidths = { desktop: 50 * gigabyte, server: 200 * gigabyte }

/** Share of the memory bandwidth that llama-server uses (measured): each token reads all active weights. */
export const bandwidthShare = { least: 0.55, most: 0.65 }

export const expectedGeneration = ({ active }: Geometry, bytesPerSecond: number): SpeedRange => ({
  least: (bandwidthShare.least * bytesPerSecond) / active,
  most: (bandwidthShare.most * bytesPerSecond) / active,
})

/**
 * Operations per second of one core: from a CPU with only AVX2 to one with AVX-512 VNNI, measured at 210e9
 * per core in layers as wide as Devstral's.
 */
export const operationsPerCore = { least: 40e9, most: 200e9 }

/** Prompts are limited by computation: two operations per active parameter and token, shared by the cores. */
export const expectedPrompt = ({ activeParameters }: Geometry, cores: number): SpeedRange => ({
  least: (cores * operationsPerCore.least) / (2 * activeParameters),
  most: (cores * operationsPerCore.most) / (2 * activeParameters),
})

/**
 * The time for a token of a prompt, relative to f16 and an empty context: `start`, and `slope` for each unit of
 * depth. Depth is tokens of context × elements of the queries in all layers / active parameters. From `make bench
 * BENCH=depth`, at 0 and 4096 tokens of its small model; the latter have the depth of 20,480 tokens of Devstral
 * Small 2.
 */
const depthCosts = {
  f16: { start: 1, slope: 11.3 },
  'q8_0/f16': { start: 1.12, slope: 25.9 },
  q8_0: { start: 1.22, slope: 45.1 },
} satisfies Record<KvType, { start: number; slope: number }>

/** Of the speed that a prompt has at first, the share that is left at the end of a context of this many tokens. */
export function shareAtDepth(
  { layers, slidingWindow, queries, activeParameters }: Geometry,
  kvType: KvType,
  depth: number,
): number {
  const windowed = slidingWindow?.layers ?? 0
  const attended = (layers - windowed) * depth + windowed * Math.min(depth, slidingWindow?.tokens ?? 0)
  const { start, slope } = depthCosts[kvType]
  return 1 / (start + (slope * attended * queries) / activeParameters)
}

/** Prompts at the end of a full context. */
export function expectedPromptAtEnd(
  geometry: Geometry,
  cores: number,
  { kvType, contextSize }: { kvType: KvType; contextSize: number },
): SpeedRange {
  const { least, most } = expectedPrompt(geometry, cores)
  const share = shareAtDepth(geometry, kvType, contextSize)
  return { least: least * share, most: most * share }
}

const tokens = (value: number) => value.toFixed(value < 10 ? 1 : 0)

/** `14 to 31`. */
export const rangeText = ({ least, most }: SpeedRange) => `${tokens(least)} to ${tokens(most)}`

/** In tokens per second, for a machine of unknown memory bandwidth. */
export function expectedText(geometry: Geometry, cores: number): string {
  const { desktop, server } = bandwidths
  const [slow, fast] = [
    expectedGeneration(geometry, desktop).least,
    expectedGeneration(geometry, server).most,
  ]
  const generation = `${tokens(slow)} (at ${desktop / gigabyte} GB/s) to ${tokens(fast)} (at ${server / gigabyte} GB/s)`
  return `prompt ${rangeText(expectedPrompt(geometry, cores))}, generation ${generation}`
}

/** The measured speed against the expected one. Nobody knows the bandwidth, so it is given as the one that would explain it. */
export function comparedText(geometry: Geometry, cores: number, { prompt, generation }: Speed): string {
  const { least, most } = expectedPrompt(geometry, cores)
  const prompts = prompt < least ? 'slower than' : prompt > most ? 'faster than' : 'as'
  const read = generation * geometry.active
  const explained = {
    least: read / bandwidthShare.most / gigabyte,
    most: read / bandwidthShare.least / gigabyte,
  }
  return `prompts ${prompts} expected, generation matches ${rangeText(explained)} GB/s of memory bandwidth`
}
