/** What is kept of llama-server's prompts over a stop: by which server, in which files, and what proves them. */
import * as z from 'zod'

const promptSchema = z.strictObject({
  slot: z.int().min(0),
  tokens: z.int().positive(),
  /** Bytes of the slot's file. */
  size: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

export const savedSchema = z.strictObject({
  /** `identityOf` the server that wrote them. */
  server: z.string(),
  prompts: z.array(promptSchema),
})

export type SavedPrompt = z.infer<typeof promptSchema>
export type SavedPrompts = z.infer<typeof savedSchema>

/** A running llama-server, as far as the files of its slots depend on it. */
export type RunningServer = {
  /** Path of its executable, which names the release. */
  program: string
  environment: Record<string, string>
  weights: { size: number; changedAt: Date }
}

/** Those that decide how it computes, not what. All others may change the format or the sense of a slot's file. */
const indifferent = ['LLAMA_ARG_THREADS', 'LLAMA_ARG_THREADS_BATCH', 'LLAMA_ARG_CACHE_RAM']

/** What must be the same where a file is read as where it was written: release, weights, settings. */
export function identityOf({ program, environment, weights }: RunningServer): string {
  const settings = Object.entries(environment)
    .filter(([name]) => /^(LLAMA|GGML)_/.test(name) && !indifferent.includes(name))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify({ program, weights, settings })
}

/** The file of a slot in llama-server's folder for them. */
export const fileOfSlot = (slot: number) => `slot-${slot}.kv`
