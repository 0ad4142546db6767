/** Limits of a request's JSON. */
import type { JsonLimits } from './parse-json.ts'

/**
 * In places llama-server recurses once per level, and finds a key by searching all those of its object; each value costs
 * nginx some microseconds. Real clients' first requests have up to 12 levels, 600 values and some dozens of keys per
 * object; a conversation that fills 128K tokens has some thousands of values.
 */
export const limits: JsonLimits = { levels: 64, values: 100_000, keys: 1000 }
