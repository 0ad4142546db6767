/** A prompt that is sent again with part of its middle removed, as by clients that drop old tool results. */
import { type BareLlama, startBareLlama } from '../mirror/bare-llama.ts'
import { complete, randomTokens } from './asking.ts'
import { median } from './measure.ts'
import { table } from './table.ts'

const rounds = 3
const promptTokens = 2000
const cut = { from: 500, to: 600 }

/** Returns the table as Markdown. */
export async function cutPrompts(program: string, ours: Record<string, string>): Promise<string> {
  const one = { LLAMA_ARG_N_PARALLEL: '1', LLAMA_ARG_CTX_SIZE: '4096', LLAMA_ARG_KV_UNIFIED_PER_SLOT: '4096' }
  const rows: string[][] = []
  for (const chunk of ['0', '64', '256']) {
    const llama = await startBareLlama(program, { ...ours, ...one, LLAMA_ARG_CACHE_REUSE: chunk })
    try {
      rows.push([chunk, ...(await cutSeconds(llama))])
    } finally {
      await llama.stop()
    }
  }
  return `${table(['cache-reuse', 'tokens recomputed', 'seconds', 'seconds for the whole prompt'], rows)}

${promptTokens} tokens, then the same without those from ${cut.from} to ${cut.to}; medians of ${rounds}.`
}

async function cutSeconds(llama: BareLlama): Promise<string[]> {
  const taken: { tokens: number; seconds: number; whole: number }[] = []
  for (let round = 0; round < rounds; round += 1) {
    const prompt = randomTokens(promptTokens)
    const whole = await complete(llama, prompt, 2)
    const shorter = await complete(llama, prompt.toSpliced(cut.from, cut.to - cut.from), 2)
    taken.push({
      tokens: shorter.prompt.tokens,
      seconds: shorter.prompt.seconds,
      whole: whole.prompt.seconds,
    })
  }
  const of = (pick: (one: (typeof taken)[number]) => number, digits: number) =>
    median(taken.map(pick)).toFixed(digits)
  return [of(({ tokens }) => tokens, 0), of(({ seconds }) => seconds, 2), of(({ whole }) => whole, 2)]
}
