/** The persisted prompt cache: the server that wrote it, and its files with their digests. */
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

/** What a running llama-server's slot files depend on. */
export type RunningServer = {
  /** Path of its executable, which names the release. */
  program: string
  environment: Record<string, string>
  weights: { size: number; changedAt: Date }
}

/** These affect speed only; any other setting may change the format or meaning of a slot's file. */
const irrelevant = ['LLAMA_ARG_THREADS', 'LLAMA_ARG_THREADS_BATCH', 'LLAMA_ARG_CACHE_RAM']

/** What must match between the server that saved a file and the one that restores it. */
export function identityOf({ program, environment, weights }: RunningServer): string {
  const settings = Object.entries(environment)
    .filter(([name]) => /^(LLAMA|GGML)_/.test(name) && !irrelevant.includes(name))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify({ program, weights, settings })
}

/** The name of a slot's file in llama-server's slot folder. */
export const fileOfSlot = (slot: number) => `slot-${slot}.kv`
