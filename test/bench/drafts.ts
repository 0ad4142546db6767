/** Speculative decoding without a draft model: what n-grams gain on repetitive text, and cost on other text. */
import { unpackedLlama } from '../mirror/bare-llama.ts'
import { completeByCpuTime, randomTokens, successive } from './asking.ts'
import { cutPrompts } from './cut-prompts.ts'
import { keep } from './results.ts'
import { medianOf, spread, takeTurns } from './rounds.ts'
import { type Served as Server, sideBySide } from './side-by-side.ts'
import { table } from './table.ts'
import { ourSettings } from './variants.ts'

const rounds = 2
const answerTokens = 120

/** `ngram`: tokens that must recur for a draft; `draft`: its longest. */
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

/** Runs of so many tokens as the model says them, each followed by others. */
const runs = (said: number[], length: number, others: number) =>
  said.flatMap((token, index) => (index % length === length - 1 ? [token, ...randomTokens(others)] : [token]))

/** What stands in the prompt of what the model will say. */
const texts: Record<string, (said: number[]) => number[]> = {
  'new text': () => randomTokens(200),
  'a copy': said => said,
  // One token in thirty differs from what was there.
  'an edit': said => said.map((token, index) => (index % 30 === 29 ? token - 500 : token)),
  // After every 18 tokens comes what never comes again: most drafts are wrong but for a token or two.
  'a trap': said => runs(said, 18, 20),
}

/** `answers`: how many it has given; no two are the same, since ngram-mod remembers them. */
type Served = Server & { answers: number }

export async function benchDrafts(): Promise<void> {
  const { program, remove } = await unpackedLlama()
  try {
    const ours = await ourSettings()
    await keep(
      'drafts',
      'What is not computed: drafts from n-grams, and prompts with a cut',
      ours,
      async () => [await compare(program, ours), await cutPrompts(program, ours)].join('\n\n'),
    )
  } finally {
    remove()
  }
}

async function compare(program: string, ours: Record<string, string>): Promise<string> {
  const taken = new Map<string, number[]>()
  const measure = async (server: Served) => {
    const rates: [string, number][] = []
    for (const [text, prompt] of Object.entries(texts)) {
      const { drafted, generation } = await answerTo(server, prompt)
      taken.set(`${server.name} ${text}`, [drafted.accepted, drafted.tokens])
      rates.push([text, generation.rate])
    }
    return Object.fromEntries(rates)
  }
  const { own, ratios } = await sideBySide(program, ours, 4096, [none, ...compared], async servers => {
    const [first, ...others] = servers.map((server): Served => ({ ...server, answers: 0 }))
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

Ratios to none of ${answerTokens} tokens' rate by CPU time (one thread); the answers are the same with and without; how many drafted tokens were right of how many. Medians of ${rounds} rounds.`
}

const share = (counts: number[] = []) => `${counts[0]}/${counts[1]}`

/** An answer that begins where none has been, to a prompt that holds what the text says of it. */
async function answerTo(server: Served, text: (said: number[]) => number[]) {
  const begin = 2000 + server.answers * (answerTokens + 20)
  server.answers += 1
  const said = successive(begin, answerTokens)
  const prompt = [...text(said), ...randomTokens(40), begin - 1]
  const answer = await completeByCpuTime(server.llama, prompt, answerTokens)
  if (answer.tokens.join() !== said.join())
    throw new Error(`${server.name}: another answer than without drafts`)
  return answer
}
