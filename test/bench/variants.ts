/** The variants that are compared with the appliance's settings: two peers, and single changes. */
import { readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { paths } from '../../lib/appliance/paths.ts'
import { configuredFolder, environmentOf } from '../integration/support/stack.ts'
import { allOf, benchModel } from '../mirror/quantised-model.ts'

export type ServerVariant = {
  name: string
  /** All environment variables of llama-server, including the model. */
  settings: Record<string, string>
  /** Options that have no variable. */
  flags: string[]
}

/** What configure decides for this machine and two conversations of 32768 tokens, with the benchmark model. */
export async function ourSettings(): Promise<Record<string, string>> {
  const root = await configuredFolder({
    ONEAPP_COPILOT_CONTEXT_SIZE: '32768',
    ONEAPP_COPILOT_PARALLEL: '2',
  })
  try {
    const { LLAMA_ARG_HOST, ...settings } = environmentOf(
      readFileSync(join(root, paths.llamaEnvironment), 'utf8'),
    )
    return { ...settings, LLAMA_ARG_MODEL: await benchModel() }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** The peers, then single changes of our settings. */
export async function variants(ours: Record<string, string>): Promise<ServerVariant[]> {
  const model = { LLAMA_ARG_MODEL: await benchModel() }
  const peer = (name: string, settings: Record<string, string>): ServerVariant => ({
    name,
    settings: { ...model, ...settings },
    flags: [],
  })
  const change = (name: string, settings: Record<string, string>, flags: string[] = []): ServerVariant => ({
    name,
    settings: { ...ours, ...settings },
    flags,
  })
  const batch = (logical: number, physical = logical) =>
    change(`batch ${logical}${physical === logical ? '' : `, in parts of ${physical}`}`, {
      LLAMA_ARG_BATCH: String(logical),
      LLAMA_ARG_UBATCH: String(physical),
    })
  const cpus = String(availableParallelism())
  return [
    peer("peer: the ancestor's flags", { LLAMA_ARG_THREADS: cpus, LLAMA_ARG_CTX_SIZE: '32768' }),
    peer("peer: llama-server's defaults", {}),
    change('ours again: the noise', {}),
    change('threads 1', { LLAMA_ARG_THREADS: '1' }),
    change('threads 1, all CPUs for prompts', { LLAMA_ARG_THREADS: '1' }, ['--threads-batch', cpus]),
    change('one thread more than CPUs', { LLAMA_ARG_THREADS: String(Number(cpus) + 1) }),
    change('one slot', { LLAMA_ARG_N_PARALLEL: '1', LLAMA_ARG_CTX_SIZE: '32768' }),
    batch(128),
    batch(256),
    batch(512),
    batch(2048, 512),
    batch(2048),
    change('KV cache q8_0', { LLAMA_ARG_CACHE_TYPE_K: 'q8_0', LLAMA_ARG_CACHE_TYPE_V: 'q8_0' }),
    change('flash attention off', { LLAMA_ARG_FLASH_ATTN: 'off' }),
    change('no repacking', { LLAMA_ARG_REPACK: '0' }),
    change('poll 0', {}, ['--poll', '0']),
    change('poll 100', {}, ['--poll', '100']),
    change('priority high', {}, ['--prio', '2']),
    change('one pinned thread per CPU', {}, ['--cpu-range', `0-${Number(cpus) - 1}`, '--cpu-strict', '1']),
    change('NUMA distribute', { LLAMA_ARG_NUMA: 'distribute' }),
    change('read, not mapped', { LLAMA_ARG_LOAD_MODE: 'none' }),
    change('mapped and locked', { LLAMA_ARG_LOAD_MODE: 'mmap+mlock' }),
    change('no huge pages requested', { GLIBC_TUNABLES: '' }),
    change('weights Q4_0', { LLAMA_ARG_MODEL: await benchModel('q4_0', allOf('q4_0')) }),
    change('weights Q4_K alone', { LLAMA_ARG_MODEL: await benchModel('q4_K', allOf('q4_K')) }),
    change('weights IQ4_NL', { LLAMA_ARG_MODEL: await benchModel('iq4_nl', allOf('iq4_nl')) }),
    change('weights Q8_0', { LLAMA_ARG_MODEL: await benchModel('q8_0', allOf('q8_0')) }),
  ]
}
