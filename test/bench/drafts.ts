/** Drafts without a second model: what n-grams found in the context gain where text repeats, and cost where it does not. */
import { type BareLlama, startBareLlama, unpackedLlama } from '../mirror/bare-llama.ts'
import { type Answer, complete, randomTokens, successive } from './asking.ts'
import { cutPrompts } from './cut-prompts.ts'
import { keep } from './results.ts'
import { medianOf, spread, takeTurns } from './rounds.ts'
import { table } from './table.ts'
import { ourSettings } from './variants.ts'

const rounds = 3
const answerTokens = 240

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
  simple(12, 16),
  simple(12, 8),
  simple(12, 4),
  simple(6, 8),
  map(12, 48), // the defaults
  map(12, 8),
  map(6, 8),
  mod(24, 48, 64), // the defaults
  mod(16, 4, 16),
  mod(16, 2, 8),
]

/** The model says 5000, 5001, 5002, … after these prompts. */
const begin = 5000
const said = successive(begin, answerTokens)
const after = (text: number[]) => [...text, ...randomTokens(40), begin - 1]
/** Runs of so many tokens as the model says them, each followed by others. */
const runs = (length: number, others: number) =>
  said.flatMap((token, index) => (index % length === length - 1 ? [token, ...randomTokens(others)] : [token]))

const texts: Record<string, () => number[]> = {
  'new text': () => after(randomTokens(600)),
  'a copy': () => after(said),
  // One token in thirty differs from what was there.
  'an edit': () =>
    after(said.map((token, index) => (index % 30 === 29 ? (randomTokens(1)[0] ?? token) : token))),
  // After every 14 tokens comes what never comes again: all drafts are wrong but for a token or two.
  'a trap': () => after(runs(14, 60)),
}

type Served = { name: string; llama: BareLlama }

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
  const one = { LLAMA_ARG_N_PARALLEL: '1', LLAMA_ARG_CTX_SIZE: '4096', LLAMA_ARG_KV_UNIFIED_PER_SLOT: '4096' }
  const servers: Served[] = []
  const taken = new Map<string, number[]>()
  try {
    for (const { name, flags } of [none, ...compared])
      servers.push({ name, llama: await startBareLlama(program, { ...ours, ...one }, flags) })
    const [first, ...others] = servers
    if (first === undefined) return ''
    const { ours: own, ratios } = await takeTurns(rounds, first, others, async ({ name, llama }) => {
      const rates: [string, number][] = []
      for (const [text, prompt] of Object.entries(texts)) {
        const answer = await complete(llama, prompt(), answerTokens)
        check(name, text, answer)
        const { tokens, accepted } = answer.drafted
        taken.set(`${name} ${text}`, [accepted, tokens])
        rates.push([text, answer.generation.rate])
      }
      return Object.fromEntries(rates)
    })
    const names = Object.keys(texts)
    const rows = others.map(({ name, ...other }) => {
      const byText = ratios.get(servers.find(server => server.llama === other.llama) ?? first) ?? {}
      return [
        name,
        ...names.map(text => `${spread(byText[text] ?? [])} ${share(taken.get(`${name} ${text}`))}`),
      ]
    })
    const absolute = names.map(text => medianOf(own, text).toFixed(0))
    return `${table(['drafts', ...names], [['none: tokens per second', ...absolute], ...rows])}

Ratios to none of the rate of ${answerTokens} tokens, the same with and without; how many drafted tokens were right of how many. Medians of ${rounds} rounds.`
  } finally {
    for (const { llama } of servers) await llama.stop()
  }
}

const share = (counts: number[] = []) => `${counts[0]}/${counts[1]}`

function check(name: string, text: string, { tokens }: Answer): void {
  if (tokens.join() !== said.join())
    throw new Error(`${name}, ${text}: the answer is another than without drafts`)
}
