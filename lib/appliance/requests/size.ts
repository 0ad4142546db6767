/** How large a request may be, and the stack that llama-server needs to split its text into tokens. */
import { MiB } from '../sizing/memory.ts'

/** The parts of a plan that decide it. */
type PlannedLimits = { contextSize: number; memoryLimit: number }

/**
 * Bytes of JSON for a token of context: text has 3 to 5 a token, escaped text up to three times as many. What holds more
 * tokens than the context should still reach llama-server, whose error names both counts: agents compact by it.
 */
const bytesPerToken = 16

/**
 * Bytes of stack for a byte of text. std::regex, by which llama.cpp splits text as Devstral's tokenizer (`tekken`) and
 * gpt-oss's do, recurses for each character of a match: 320 to 340 bytes (measured with v0.5.0; time is linear).
 */
const stackPerByte = 512

/** Bytes of the largest request: what the context can hold, 1 to 8 MiB, and no more than half the memory can split. */
export const largestBody = ({ contextSize, memoryLimit }: PlannedLimits): number => {
  const affordable = Math.min(8 * MiB, Math.floor(memoryLimit / 2 / stackPerByte))
  return Math.min(Math.max(bytesPerToken * contextSize, MiB), affordable)
}

/** Bytes of stack for each of llama-server's threads (virtual: a thread takes what it touches), for one run of text as large as a request may be. */
export const stackLimit = (limits: PlannedLimits): number => stackPerByte * largestBody(limits)
