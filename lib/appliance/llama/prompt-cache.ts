/** The persisted prompt cache: which server wrote it, its files, and the digests that they are verified by. */
import * as z from 'zod'

const slotSchema = z.strictObject({
  slot: z.int().min(0),
  tokens: z.int().positive(),
  /** Bytes of the slot's file. */
  size: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

export const promptCacheSchema = z.strictObject({
  /** `identityOf` the server that wrote them. */
  server: z.string(),
  slots: z.array(slotSchema),
})

export type PersistedSlot = z.infer<typeof slotSchema>
export type PersistedPromptCache = z.infer<typeof promptCacheSchema>

/** A running llama-server, as far as the files of its slots depend on it. */
export type RunningServer = {
  /** Path of its executable, which names the release. */
  program: string
  environment: Record<string, string>
  weights: { size: number; changedAt: Date }
}

/** They change how fast it computes, not what: all others may change the format or the meaning of a slot's file. */
const irrelevant = ['LLAMA_ARG_THREADS', 'LLAMA_ARG_THREADS_BATCH', 'LLAMA_ARG_CACHE_RAM']

/** What must be the same where a file is read as where it was written: release, weights, settings. */
export function identityOf({ program, environment, weights }: RunningServer): string {
  const settings = Object.entries(environment)
    .filter(([name]) => /^(LLAMA|GGML)_/.test(name) && !irrelevant.includes(name))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify({ program, weights, settings })
}

/** The file of a slot in llama-server's folder for them. */
export const fileOfSlot = (slot: number) => `slot-${slot}.kv`
