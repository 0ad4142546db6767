/** What every llama-server of the appliance has in common: its settings, and how its unit reads them. */
import { modelPath } from '../../appliance/paths.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'

type ServerCapacity = Pick<Capacity, 'slots' | 'contextSize' | 'threads' | 'batchSize'> & {
  model: { name: string }
}

/** Settings as environment variables (`llama-server --help`), so that its arguments stay empty. */
export const commonSettings = (
  { model, slots, contextSize, threads, batchSize }: ServerCapacity,
  socket: string,
): Record<string, string> => ({
  LLAMA_ARG_MODEL: modelPath(model.name),
  LLAMA_ARG_ALIAS: model.name,
  LLAMA_ARG_HOST: socket,
  // A pool of slots × context with a limit per slot: no conversation can take another's share.
  LLAMA_ARG_N_PARALLEL: String(slots),
  LLAMA_ARG_KV_UNIFIED: '1',
  LLAMA_ARG_KV_UNIFIED_PER_SLOT: String(contextSize),
  LLAMA_ARG_CTX_SIZE: String(slots * contextSize),
  LLAMA_ARG_THREADS: String(threads),
  LLAMA_ARG_BATCH: String(batchSize),
  LLAMA_ARG_UBATCH: String(batchSize),
  LLAMA_ARG_FLASH_ATTN: 'on',
  // On a CPU-only machine it measures the wrong memory, and silently shrinks the context.
  LLAMA_ARG_FIT: 'off',
  // Seconds for one read or write on a connection; how long an answer may take is up to the proxies.
  LLAMA_ARG_TIMEOUT: '3600',
  // An HTTP thread keeps the stack that it has touched. One is permanent; others start on demand and end
  // after 3 s.
  LLAMA_ARG_THREADS_HTTP: '1',
  LLAMA_ARG_LOG_COLORS: 'off',
  // Errors only: a warning about an answer that it cannot parse contains the answer, and one about a failed request may
  // contain what that said.
  LLAMA_ARG_LOG_VERBOSITY: '1',
  LLAMA_ARG_OFFLINE: '1',
  LLAMA_ARG_UI: '0',
  LLAMA_ARG_ENDPOINT_SLOTS: '0',
})

/**
 * Makes glibc request huge pages, which Ubuntu's kernel grants only on request (madvise). Without them
 * prompts run at 0.99 and answers at 0.96 times the speed, both within the noise, with 4 MiB less anonymous
 * memory (`make bench BENCH=speed`).
 */
export const allocator = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' }

/** The environment file that a unit reads (systemd.exec(5), EnvironmentFile). */
export const environmentFile = (path: string, settings: Record<string, string>) => ({
  path,
  mode: 0o640,
  text: Object.entries({ ...settings, ...allocator })
    .map(([name, value]) => `${name}=${value}\n`)
    .join(''),
})
