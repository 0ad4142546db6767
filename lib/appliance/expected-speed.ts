/** What a plan lets one expect of speed, before anything is measured: in tokens per second, of one conversation alone. */
import type { Geometry } from './geometry.ts'

export type Range = { least: number; most: number }

/** Bytes per second. */
export const gigabyte = 1e9

/** What machines have of memory bandwidth, for who does not know the own. */
export const bandwidths = [
  { machine: ' (a desktop)', bytesPerSecond: 50 * gigabyte },
  { machine: ' (a server)', bytesPerSecond: 200 * gigabyte },
]

/** Every token reads all active weights once: llama-server was seen to use 0.55 to 0.65 of what the memory gives. */
export const expectedGeneration = ({ active }: Geometry, bytesPerSecond: number): Range => ({
  least: (0.55 * bytesPerSecond) / active,
  most: (0.65 * bytesPerSecond) / active,
})

/** Operations per second and core: Q4_K weights in the faster layout, from AVX2 to AVX-512 (`make bench BENCH=speed`). */
const perCore = { least: 40e9, most: 90e9 }

/** A prompt is computed in batches: two operations for each active parameter and token, shared by the cores. */
export const expectedPrompt = ({ activeParameters }: Geometry, cores: number): Range => ({
  least: (cores * perCore.least) / (2 * activeParameters),
  most: (cores * perCore.most) / (2 * activeParameters),
})
