/** Speculative decoding without a draft model: the gain of n-grams on repetitive text, and their cost on other text. */
import { unpackedLlama } from '../mirror/bare-llama.ts'
import { completeByCpuTime, randomTokens, successive } from './asking.ts'
import { cutPrompts } from './cut-prompts.ts'
import { saveResults } from './results.ts'
import { medianOf, spread, takeTurns } from './rounds.ts'
import { type VariantServer as Server, sideBySide } from './side-by-side.ts'
import { table } from './table.ts'
import { ourSettings } from './variants.ts'

const rounds = 2
const answerTokens = 120

/** `ngram`: tokens that must recur to trigger a draft; `draft`: its maximum length. */
const simple = (ngram: number, draft: number) => sized('simple', ngram, draft)
const map = (ngram: number, draft: number) => sized('map-k', ngram, draft)
const sized = (kind: string, ngram: number, draft: number) => ({
  name: `ngram-${kind}: ${draft} after ${ngram}`,
  flags: [
    ...['--spec-type', `ngram-${kind}`],
    ...[`--spec-ngram-${kind}-size-n`, String(ngram)],
    ...[`--spec-ngram-${kind}-size-m`, String(draft)],
  ],
})
const mod = (ngram: number, least: number, most: number) => ({
  name: `ngram-mod: ${least} to ${most} after ${ngram}`,
  flags: [
    ...['--spec-type', 'ngram-mod', '--spec-ngram-mod-n-match', String(ngram)],
    ...['--spec-ngram-mod-n-min', String(least), '--spec-ngram-mod-n-max', String(most)],
  ],
})

const none = { name: 'none', flags: [] as string[] }
const compared = [
  simple(12, 48), // the defaults
  simple(6, 8),
  map(12, 48), // the defaults
  mod(24, 48, 64), // the defaults
  mod(16, 4, 16),
  mod(16, 2, 8),
]

/** Runs of this many tokens from the model's answer, each followed by random ones. */
const runs = (said: number[], length: number, others: number) =>
  said.flatMap((token, index) => (index % length === length - 1 ? [token, ...randomTokens(others)] : [token]))

/** What the prompt contains of the text that the model will generate. */
const texts: Record<string, (said: number[]) => number[]> = {
  'new text': () => randomTokens(200),
  'a copy': said => said,
  // One token in thirty differs.
  'an edit': said => said.map((token, index) => (index % 30 === 29 ? token - 500 : token)),
  // After 18 tokens, something else follows: all but a token or two of most drafts are wrong.
  'a trap': said => runs(said, 18, 20),
}

/** `answers`: the number of answers so far; each must be different, because ngram-mod remembers them. */
type DraftServer = Server & { answers: number }

export async function benchDrafts(): Promise<void> {
  const { program, remove } = await unpackedLlama()
  try {
    const ours = await ourSettings()
    await saveResults(
      'drafts',
      'Saved computation: drafts from n-grams, and prompts with a part removed',
      ours,
      async () => [await compare(program, ours), await cutPrompts(program, ours)].join('\n\n'),
    )
  } finally {
    remove()
  }
}

async function compare(program: string, ours: Record<string, string>): Promise<string> {
  const taken = new Map<string, number[]>()
  const measure = async (server: DraftServer) => {
    const rates: [string, number][] = []
    for (const [text, prompt] of Object.entries(texts)) {
      const { drafted, generation } = await answerTo(server, prompt)
      taken.set(`${server.name} ${text}`, [drafted.accepted, drafted.tokens])
      rates.push([text, generation.rate])
    }
    return Object.fromEntries(rates)
  }
  const { own, ratios } = await sideBySide(program, ours, 4096, [none, ...compared], async servers => {
    const [first, ...others] = servers.map((server): DraftServer => ({ ...server, answers: 0 }))
    if (first === undefined) throw new Error('there is nothing to compare')
    const turns = await takeTurns(rounds, first, others, measure)
    return { own: turns.ours, ratios: [...turns.ratios] }
  })
  const names = Object.keys(texts)
  const rows = ratios.map(([other, byText]) => [
    other.name,
    ...names.map(text => `${spread(byText[text] ?? [])} ${share(taken.get(`${other.name} ${text}`))}`),
  ])
  const absolute = names.map(text => medianOf(own, text).toFixed(0))
  return `${table(['drafts', ...names], [['none: tokens per second', ...absolute], ...rows])}

Ratios of the rates per CPU time (one thread) to those without drafts, for answers of ${answerTokens} tokens, which are the same with and without; then accepted/drafted tokens. Medians of ${rounds} rounds.`
}

const share = (counts: number[] = []) => `${counts[0]}/${counts[1]}`

/** Gets an answer that starts at a new token, to a prompt that contains the given text. */
async function answerTo(server: DraftServer, text: (said: number[]) => number[]) {
  const begin = 2000 + server.answers * (answerTokens + 20)
  server.answers += 1
  const said = successive(begin, answerTokens)
  const prompt = [...text(said), ...randomTokens(40), begin - 1]
  const answer = await completeByCpuTime(server.llama, prompt, answerTokens)
  if (answer.tokens.join() !== said.join())
    throw new Error(`${server.name}: the answer differs from the one without drafts`)
  return answer
}
