/** The cost of a context that is already filled, at increasing depth: KV types, and without flash attention. */
import { unpackedLlama } from '../mirror/bare-llama.ts'
import { complete, completeByCpuTime, randomTokens } from './asking.ts'
import { saveResults } from './results.ts'
import { medianOf, spread, takeTurns } from './rounds.ts'
import { sideBySide, type VariantServer } from './side-by-side.ts'
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
const compared = [
  { name: 'f16', settings: kv('f16', 'f16') },
  { name: 'q8_0/f16', settings: kv('q8_0', 'f16') },
  { name: 'q8_0', settings: kv('q8_0', 'q8_0') },
  { name: 'f16, flash attention off', settings: { ...kv('f16', 'f16'), LLAMA_ARG_FLASH_ATTN: 'off' } },
]

export async function benchDepth(): Promise<void> {
  const { program, remove } = await unpackedLlama()
  try {
    const ours = await ourSettings()
    await saveResults('depth', 'Depth and KV type', ours, () => compare(program, ours))
  } finally {
    remove()
  }
}

async function compare(program: string, ours: Record<string, string>): Promise<string> {
  const text = randomTokens(Math.max(...depths))
  const rows = await sideBySide(program, ours, 5120, compared, async servers => {
    const all: string[][] = []
    for (const depth of depths) all.push(...(await compareAt(text.slice(0, depth), servers)))
    return all
  })
  return `${table(['KV cache', 'tokens deep', 'prompt', 'generation'], rows)}

For f16, tokens per second of CPU time (one thread); for the others, ratios to it. A prompt of ${promptTokens} tokens at the depth in the second column, and an answer of ${answerTokens}; medians of ${rounds} rounds.
Relative to the weights, a token of context costs five times as much as in Devstral Small 2: 4096 tokens here correspond to 20,000 there.`
}

async function compareAt(context: number[], servers: VariantServer[]): Promise<string[][]> {
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
