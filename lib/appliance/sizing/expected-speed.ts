/** The speed to expect before anything is measured: tokens per second of a single conversation. */
import type { Geometry } from '../models/geometry.ts'

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
