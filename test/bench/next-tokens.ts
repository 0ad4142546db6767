/** Multi-token prediction (draft-mtp): what a step costs with drafts that are accepted, and with rejected ones. */
import { unpackedLlama } from '../mirror/bare-llama.ts'
import { completeByCpuTime, successive } from './asking.ts'
import { hybrid } from './memory.ts'
import { saveResults } from './results.ts'
import { medianOf, spread, takeTurns } from './rounds.ts'
import { sideBySide, type VariantOptions, type VariantServer } from './side-by-side.ts'
import { table } from './table.ts'
import { ourSettings } from './variants.ts'

const rounds = 2
const answerTokens = 60

/** `most`: tokens drafted for a step; `least`: the probability below which drafting ends. */
const drafting = (most: number, least: number): VariantOptions => ({
  name: `${most} at most, probability ${least} at least`,
  settings: {
    LLAMA_ARG_SPEC_TYPE: 'draft-mtp',
    LLAMA_ARG_SPEC_DRAFT_N_MAX: String(most),
    LLAMA_ARG_SPEC_DRAFT_P_MIN: String(least),
  },
})

const variants = [drafting(1, 0), drafting(2, 0), drafting(2, 0.5)]

const caption = `Ratios of the rates per CPU time (one thread) to those without drafts, for answers of ${answerTokens} tokens, which are the same with and without; then accepted/drafted tokens. Medians of ${rounds} rounds. A draft is checked as a batch, for which most tokens need experts of their own.`

/** Prints the speed with drafts, relative to that without, for a model whose drafts are right, and one with wrong ones. */
export async function benchNextTokens(): Promise<void> {
  const { program, remove } = await unpackedLlama()
  try {
    const ours = await ourSettings()
    await saveResults(
      'next-tokens',
      'Multi-token prediction',
      ours,
      async () => {
        const texts: string[] = []
        for (const drafts of ['right', 'wrong'] as const)
          texts.push(
            await compare(
              program,
              { ...ours, LLAMA_ARG_MODEL: await hybrid(`drafts-${drafts}`, drafts) },
              drafts,
            ),
          )
        return `${texts.join('\n\n')}\n\n${caption}`
      },
      'The models are hybrids with 32 experts, 8 of them used, and random weights, 390 MB as Q4_K_M',
    )
  } finally {
    remove()
  }
}

async function compare(program: string, settings: Record<string, string>, drafts: string): Promise<string> {
  const taken = new Map<string, string>()
  let answers = 0
  const measure = async ({ name, llama }: VariantServer) => {
    answers += 1
    const begin = 2000 + answers * (answerTokens + 20)
    const answer = await completeByCpuTime(llama, successive(begin - 200, 200), answerTokens)
    if (answer.tokens.join() !== successive(begin, answerTokens).join())
      throw new Error(`${name}: the answer differs from the one without drafts`)
    const { accepted, tokens } = answer.drafted
    taken.set(name, `${accepted}/${tokens}`)
    return { answer: answer.generation.rate, prompt: answer.prompt.rate }
  }
  const { ours, ratios } = await sideBySide(
    program,
    settings,
    4096,
    [{ name: 'none' }, ...variants],
    async servers => {
      const [first, ...others] = servers
      if (first === undefined) throw new Error('there is nothing to compare')
      return takeTurns(rounds, first, others, measure)
    },
  )
  const rows = [...ratios].map(([{ name }, { answer = [], prompt = [] }]) => [
    name,
    spread(answer),
    spread(prompt),
    taken.get(name) ?? '',
  ])
  const absolute = [
    'none: tokens per second',
    medianOf(ours, 'answer').toFixed(0),
    medianOf(ours, 'prompt').toFixed(0),
    '',
  ]
  return `Drafts that are ${drafts}\n${table(['drafts', 'answer', 'prompt', 'accepted'], [absolute, ...rows])}`
}
