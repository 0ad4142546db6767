/** Which settings of llama-server are fast on this machine: ours compared with peers, and with single changes. */
import { startBareLlama, unpackedLlama } from '../mirror/bare-llama.ts'
import { complete, randomTokens } from './asking.ts'
import { anonymousMiB } from './measure.ts'
import { saveResults } from './results.ts'
import { type Figures, medianOf, spread, takeTurns } from './rounds.ts'
import { table } from './table.ts'
import { ourSettings, type ServerVariant, variants } from './variants.ts'

const rounds = 3
const promptTokens = 1024
const answerTokens = 96

export async function benchSpeed(): Promise<void> {
  const { program, remove } = await unpackedLlama()
  try {
    const ours = await ourSettings()
    await saveResults('speed', 'Settings, one change at a time', ours, () => compare(program, ours))
  } finally {
    remove()
  }
}

async function compare(program: string, ours: Record<string, string>): Promise<string> {
  const others = await variants(ours)
  const own: ServerVariant = { name: 'ours', settings: ours, flags: [] }
  const measured = await takeTurns(rounds, own, others, variant => measure(program, variant))
  const memory = medianOf(measured.ours, 'anonymous')
  const rows = others.map(variant => {
    const { prompt = [], generation = [], anonymous = [] } = measured.ratios.get(variant) ?? {}
    const more = (Math.max(...anonymous) - 1) * memory
    return [variant.name, spread(prompt), spread(generation), `${more < 0 ? '' : '+'}${more.toFixed(0)}`]
  })
  const absolute = [
    medianOf(measured.ours, 'prompt').toFixed(0),
    medianOf(measured.ours, 'generation').toFixed(0),
  ]
  return `${table(
    ['', 'prompt', 'generation', 'anonymous memory'],
    [['ours: tokens per second, MiB', ...absolute, memory.toFixed(0)], ...rows],
  )}

Ratios to ours, from llama-server's own timings; memory in MiB relative to ours. A prompt of ${promptTokens} tokens and an answer of ${answerTokens}; each ratio is to ours measured just before and just after. Medians of ${rounds} rounds, with the range in brackets.
High priority is SCHED_FIFO, which not every machine permits. On a busy machine, two threads lose more than one.`
}

async function measure(program: string, { settings, flags }: ServerVariant): Promise<Figures> {
  const llama = await startBareLlama(program, settings, flags)
  try {
    // Warm-up: the first prompt allocates the pages of the compute buffers.
    await complete(llama, randomTokens(256), 2)
    const { prompt, generation } = await complete(llama, randomTokens(promptTokens), answerTokens)
    return { prompt: prompt.rate, generation: generation.rate, anonymous: anonymousMiB(llama.pid) }
  } finally {
    await llama.stop()
  }
}
