/** The cost of the edge proxy for a stream: nginx and TLS compared with llama-server's socket, in alternation. */
import { type Stack, startStack } from '../integration/support/stack.ts'
import { wideSentenceModel } from '../mirror/sentence-model.ts'
import { median, promptOf, stream, type Target, type Timing } from './measure.ts'

const rounds = 15
/** Bytes of a request besides its prompt: the filter parses and drops them, and no model computes them. */
const sizes = [0, 100_000, 1_000_000]
const chat = (bytes: number) => ({
  messages: promptOf(500),
  padding: 'x'.repeat(bytes),
  ignore_eos: true,
  max_tokens: 100,
})

/** Targets with 100 kB: time to first token at most 1.05 times, rate at least 0.99 times that of the socket. */
export async function benchEdge(): Promise<void> {
  const model = await wideSentenceModel()
  const stack = await startStack({}, { settings: { LLAMA_ARG_MODEL: model } })
  try {
    await measure(stack, 'bare socket', 0)
    for (const bytes of sizes) await compare(stack, bytes)
  } finally {
    await stack.close()
  }
}

async function compare(stack: Stack, bytes: number): Promise<void> {
  const pairs: { bare: Timing; edge: Timing }[] = []
  for (let round = 1; round <= rounds; round += 1) {
    // The order alternates, so that gradual changes in the machine's speed favour neither.
    const order: Target[] =
      round % 2 === 0 ? ['bare socket', 'nginx and TLS'] : ['nginx and TLS', 'bare socket']
    const times = new Map<Target, Timing>()
    for (const target of order) times.set(target, await measure(stack, target, bytes))
    pairs.push({
      bare: times.get('bare socket') as Timing,
      edge: times.get('nginx and TLS') as Timing,
    })
  }
  console.log(`  ${bytes / 1000} kB besides the prompt`)
  print(pairs)
}

const measure = (stack: Stack, target: Target, bytes: number) => stream(stack, target, chat(bytes)).ended

function print(pairs: { bare: Timing; edge: Timing }[]): void {
  const line = (name: string, of: (timing: Timing) => number, digits: number) => {
    const bare = median(pairs.map(pair => of(pair.bare)))
    const edge = median(pairs.map(pair => of(pair.edge)))
    const ratio = median(pairs.map(pair => of(pair.edge) / of(pair.bare)))
    console.log(
      `  ${name.padEnd(24)}${bare.toFixed(digits).padStart(12)}${edge.toFixed(digits).padStart(16)}${ratio.toFixed(3).padStart(10)}`,
    )
  }
  console.log(
    `  ${''.padEnd(24)}${'bare socket'.padStart(12)}${'nginx and TLS'.padStart(16)}${'ratio'.padStart(10)}`,
  )
  line('first token, s', ({ firstToken }) => firstToken, 3)
  line('tokens per second', ({ rate }) => rate, 2)
  console.log(`  Medians of ${pairs.length} rounds; a new connection each; ratios by round.`)
}
