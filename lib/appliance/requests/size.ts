/** How large a request may be, and the stack that llama-server needs to tokenize it. */
import { MiB } from '../sizing/memory.ts'

/** The parts of a plan that these limits depend on. */
type PlannedLimits = { contextSize: number; memoryLimit: number }

/**
 * Bytes of JSON per token of context: text has 3 to 5 per token, escaped text up to three times as many.
 * Requests that exceed the context should still reach llama-server: its error names both token counts, which
 * makes agents compact.
 */
const bytesPerToken = 16

/**
 * Bytes of stack per byte of text. std::regex, with which llama.cpp splits text for Devstral's tokenizer
 * (`tekken`) and gpt-oss's, recurses for each character of a match: 320 to 340 bytes (measured with v0.5.0;
 * time is linear).
 */
const stackPerByte = 512

/** Bytes of a request, at most, whatever the context. */
export const largestRequest = 8 * MiB

/** Bytes of the largest request: enough for the context, 1 to 8 MiB, its stack at most half the memory. */
export const largestBody = ({ contextSize, memoryLimit }: PlannedLimits): number => {
  const affordable = Math.min(largestRequest, Math.floor(memoryLimit / 2 / stackPerByte))
  return Math.min(Math.max(bytesPerToken * contextSize, MiB), affordable)
}

/**
 * Bytes of stack for each of llama-server's threads, enough for a single match as large as the largest
 * request. Virtual: only the pages that a thread touches take memory.
 */
export const stackLimit = (limits: PlannedLimits): number => stackPerByte * largestBody(limits)
