/** What a plan lets one expect of speed, before anything is measured: in tokens per second, of one conversation alone. */
import type { Geometry } from '../models/geometry.ts'

export type Range = { least: number; most: number }

/** Bytes per second. */
export const gigabyte = 1e9

/** What machines have of memory bandwidth, for who does not know the own: two channels, eight channels. */
export const bandwidths = { desktop: 50 * gigabyte, server: 200 * gigabyte }

/** Every token reads all active weights once: llama-server was seen to use 0.55 to 0.65 of what the memory gives. */
export const expectedGeneration = ({ active }: Geometry, bytesPerSecond: number): Range => ({
  least: (0.55 * bytesPerSecond) / active,
  most: (0.65 * bytesPerSecond) / active,
})

/**
 * Operations per second and core: from a CPU with just AVX2 to one with AVX-512 VNNI, of which two cores computed 210e9
 * each with layers as wide as Devstral's.
 */
export const perCore = { least: 40e9, most: 200e9 }

/** A prompt is computed in batches: two operations for each active parameter and token, shared by the cores. */
export const expectedPrompt = ({ activeParameters }: Geometry, cores: number): Range => ({
  least: (cores * perCore.least) / (2 * activeParameters),
  most: (cores * perCore.most) / (2 * activeParameters),
})

const tokens = (value: number) => value.toFixed(value < 10 ? 1 : 0)

/** `14 to 31`. */
export const rangeText = ({ least, most }: Range) => `${tokens(least)} to ${tokens(most)}`

/** For a machine whose memory's bandwidth is not known: tokens per second. */
export function expectedText(geometry: Geometry, cores: number): string {
  const { desktop, server } = bandwidths
  const [slow, fast] = [
    expectedGeneration(geometry, desktop).least,
    expectedGeneration(geometry, server).most,
  ]
  const generation = `${tokens(slow)} (at ${desktop / gigabyte} GB/s) to ${tokens(fast)} (at ${server / gigabyte} GB/s)`
  return `prompt ${rangeText(expectedPrompt(geometry, cores))}, generation ${generation}`
}
