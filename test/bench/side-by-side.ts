/** Several llama-servers side by side, with one thread and one slot each, measured in turn. */
import { type BareLlama, startBareLlama } from '../mirror/bare-llama.ts'

export type VariantServer = { name: string; llama: BareLlama }
export type VariantOptions = { name: string; settings?: Record<string, string>; flags?: string[] }

/** Starts one server per variant, measures them, and stops them even on failure. */
export async function sideBySide<T>(
  program: string,
  settings: Record<string, string>,
  contextSize: number,
  variants: VariantOptions[],
  measure: (servers: VariantServer[]) => Promise<T>,
): Promise<T> {
  const one = {
    LLAMA_ARG_N_PARALLEL: '1',
    LLAMA_ARG_THREADS: '1',
    LLAMA_ARG_CTX_SIZE: String(contextSize),
    LLAMA_ARG_KV_UNIFIED_PER_SLOT: String(contextSize),
  }
  const servers: VariantServer[] = []
  try {
    for (const { name, settings: own, flags } of variants)
      servers.push({ name, llama: await startBareLlama(program, { ...settings, ...one, ...own }, flags) })
    return await measure(servers)
  } finally {
    for (const { llama } of servers) await llama.stop()
  }
}
