/** Time to first token for a prompt that an agent sends every time: cold, warm, after others, after a restart. */
import { provenSlots, restorePromptCache, savePromptCache } from '../../lib/steps/llama/prompt-cache.ts'
import { type Stack, startStack } from '../integration/support/stack.ts'
import { hostOf } from '../integration/support/stack-host.ts'
import { wideSentenceModel } from '../mirror/sentence-model.ts'
import { median, promptOf, stream } from './measure.ts'

const rounds = 3
const beginningTokens = 3000
const cases = ['cold', 'warm', 'after others', 'after a restart'] as const
type Case = (typeof cases)[number]
/** Seconds to the first token, and seconds for saving and restoring. */
type PromptRow = Record<Case, number> & { keeping: number; restoring: number }

/** Prints for each case the medians with a prompt cache in RAM and on disk, without either, and their ratio. */
export async function benchPrompts(): Promise<void> {
  const model = await wideSentenceModel()
  const start = (cacheRam: string) =>
    startStack(
      { ONEAPP_COPILOT_KEEP_PROMPTS: 'YES' },
      { settings: { LLAMA_ARG_MODEL: model, LLAMA_ARG_CACHE_RAM: cacheRam } },
    )
  // Room for the agent's prompt and three more: this model needs 8 KiB per token.
  const stacks = { with: await start('128'), without: await start('0') }
  try {
    const rows: { with: PromptRow; without: PromptRow }[] = []
    for (let round = 1; round <= rounds; round += 1) {
      const row = { with: await measure(stacks.with, true), without: await measure(stacks.without, false) }
      console.log(`  round ${round}: ${JSON.stringify(row)}`)
      rows.push(row)
    }
    print(rows)
  } finally {
    await stacks.with.close()
    await stacks.without.close()
  }
}

async function measure(stack: Stack, isKept: boolean): Promise<PromptRow> {
  // Differs from all others from its first word.
  const [beginning] = promptOf(beginningTokens)
  const firstToken = async () => {
    const messages = [{ ...beginning, role: 'system' }, ...promptOf(5)]
    const asked = { messages, max_tokens: 1, cache_prompt: true }
    return (await stream(stack, 'bare socket', asked).ended).firstToken
  }
  const other = () => stream(stack, 'bare socket', { messages: promptOf(200), max_tokens: 1 }).ended

  const cold = await firstToken()
  const warm = await firstToken()
  await other()
  await other()
  const afterOthers = await firstToken()
  const { keeping, restoring } = await restart(stack, isKept)
  return {
    cold,
    warm,
    'after others': afterOthers,
    'after a restart': await firstToken(),
    keeping,
    restoring,
  }
}

async function restart(stack: Stack, isKept: boolean) {
  const host = hostOf(stack)
  const keeping = isKept ? await secondsOf(() => savePromptCache(host, stack.llamaPid() ?? 0)) : 0
  await stack.stopLlama()
  await stack.startLlama()
  const restoring = isKept
    ? await secondsOf(async () => restorePromptCache(host, await provenSlots(host, stack.llamaPid() ?? 0)))
    : 0
  return { keeping, restoring }
}

async function secondsOf(act: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await act()
  return (performance.now() - start) / 1000
}

function print(rows: { with: PromptRow; without: PromptRow }[]): void {
  console.log(
    `  ${'first token, s'.padEnd(18)}${'with'.padStart(8)}${'without'.padStart(10)}${'ratio'.padStart(8)}`,
  )
  for (const name of cases) {
    const [kept, bare] = [median(rows.map(row => row.with[name])), median(rows.map(row => row.without[name]))]
    const ratio = median(rows.map(row => row.with[name] / row.without[name]))
    console.log(
      `  ${name.padEnd(18)}${kept.toFixed(2).padStart(8)}${bare.toFixed(2).padStart(10)}${ratio.toFixed(3).padStart(8)}`,
    )
  }
  const [keeping, restoring] = [
    median(rows.map(row => row.with.keeping)),
    median(rows.map(row => row.with.restoring)),
  ]
  console.log(
    `  Saving took ${keeping.toFixed(2)} s before the restart, restoring ${restoring.toFixed(2)} s after it.`,
  )
  console.log(`  A prompt of ${beginningTokens} tokens, 24 MB; two slots; medians of ${rounds} rounds.`)
}
