/** What a context costs that is full already: KV types, and without flash attention, at growing depth. */
import { type BareLlama, startBareLlama, unpackedLlama } from '../mirror/bare-llama.ts'
import { complete, completeByCpuTime, randomTokens } from './asking.ts'
import { keep } from './results.ts'
import { medianOf, spread, takeTurns } from './rounds.ts'
import { table } from './table.ts'
import { ourSettings } from './variants.ts'

const depths = [0, 1024, 4096]
const rounds = 2
const promptTokens = 256
const answerTokens = 48

const kv = (keys: string, values: string) => ({
  LLAMA_ARG_CACHE_TYPE_K: keys,
  LLAMA_ARG_CACHE_TYPE_V: values,
})
const compared: Record<string, Record<string, string>> = {
  f16: kv('f16', 'f16'),
  q8_0: kv('q8_0', 'q8_0'),
  'f16, flash attention off': { ...kv('f16', 'f16'), LLAMA_ARG_FLASH_ATTN: 'off' },
}

type Served = { name: string; llama: BareLlama }

export async function benchDepth(): Promise<void> {
  const { program, remove } = await unpackedLlama()
  try {
    const ours = await ourSettings()
    await keep('depth', 'Depth and KV type', ours, () => compare(program, ours))
  } finally {
    remove()
  }
}

/** All servers run at once and are asked in turn, so that each is filled but once. */
async function compare(program: string, ours: Record<string, string>): Promise<string> {
  const one = {
    LLAMA_ARG_N_PARALLEL: '1',
    LLAMA_ARG_THREADS: '1',
    LLAMA_ARG_CTX_SIZE: '5120',
    LLAMA_ARG_KV_UNIFIED_PER_SLOT: '5120',
  }
  const servers: Served[] = []
  try {
    for (const [name, settings] of Object.entries(compared))
      servers.push({ name, llama: await startBareLlama(program, { ...ours, ...one, ...settings }) })
    const text = randomTokens(Math.max(...depths))
    const rows: string[][] = []
    for (const depth of depths) rows.push(...(await compareAt(text.slice(0, depth), servers)))
    return `${table(['KV cache', 'tokens deep', 'prompt', 'generation'], rows)}

Tokens per second of CPU time (one thread) of f16; the others' ratios to it. A prompt of ${promptTokens} tokens after as many as the second column says, and ${answerTokens} of an answer; medians of ${rounds} rounds.
A token of the context costs five times as much beside these weights as in Devstral Small 2: 4096 tokens here are like 20,000 there.`
  } finally {
    for (const { llama } of servers) await llama.stop()
  }
}

async function compareAt(context: number[], servers: Served[]): Promise<string[][]> {
  for (const { llama } of servers) await complete(llama, [...context, ...randomTokens(8)], 2)
  const [first, ...others] = servers
  if (first === undefined) return []
  const { ours, ratios } = await takeTurns(rounds, first, others, async ({ llama }) => {
    const { prompt, generation } = await completeByCpuTime(
      llama,
      [...context, ...randomTokens(promptTokens)],
      answerTokens,
    )
    if (prompt.tokens > promptTokens + 1)
      throw new Error(`${prompt.tokens} tokens computed: the cache was lost`)
    return { prompt: prompt.rate, generation: generation.rate }
  })
  const absolute = (name: string) => medianOf(ours, name).toFixed(0)
  return [
    [first.name, String(context.length), absolute('prompt'), absolute('generation')],
    ...others.map(other => {
      const { prompt = [], generation = [] } = ratios.get(other) ?? {}
      return [other.name, String(context.length), spread(prompt), spread(generation)]
    }),
  ]
}
