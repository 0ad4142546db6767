/** The effect of the batch size: prompt speed, and how long cancelled slots and other clients' tokens have to wait. */
import { type Stack, startStack } from '../integration/support/stack.ts'
import { wideSentenceModel } from '../mirror/sentence-model.ts'
import { median, promptOf, stream } from './measure.ts'

const sizes = [128, 256, 512, 2048]
const promptTokens = 3000

type BatchRow = { size: number; promptRate: number; gap: number; freed: number }

/** Prints for each size the prompt rate, another client's longest wait for a token, and how soon a slot is free. */
export async function benchBatches(): Promise<void> {
  const rows: BatchRow[] = []
  for (const size of sizes) rows.push(await measure(size))
  const best = Math.max(...rows.map(({ promptRate }) => promptRate))
  console.log('  batch   prompt tok/s   ratio   another waits, s   slot free after, s')
  for (const { size, promptRate, gap, freed } of rows)
    console.log(
      `  ${String(size).padStart(5)}${promptRate.toFixed(0).padStart(15)}${(promptRate / best).toFixed(2).padStart(8)}` +
        `${gap.toFixed(1).padStart(19)}${freed.toFixed(1).padStart(21)}`,
    )
  console.log(
    `  A prompt of ${promptTokens} tokens; two slots; the longest gap between another client's tokens.`,
  )
}

async function measure(size: number): Promise<BatchRow> {
  const settings = {
    LLAMA_ARG_MODEL: await wideSentenceModel(),
    LLAMA_ARG_BATCH: String(size),
    LLAMA_ARG_UBATCH: String(size),
  }
  const stack = await startStack({}, { settings })
  try {
    const alone = await prompt(stack).ended
    return {
      size,
      promptRate: promptTokens / alone.firstToken,
      gap: await gapDuringPrompt(stack),
      freed: median([await untilFree(stack), await untilFree(stack), await untilFree(stack)]),
    }
  } finally {
    await stack.close()
  }
}

const prompt = (stack: Stack) =>
  stream(stack, 'bare socket', { messages: promptOf(promptTokens), max_tokens: 1 })

/** Starts a generation that lasts until its client disconnects. */
async function talk(stack: Stack) {
  const talker = stream(stack, 'bare socket', {
    messages: promptOf(1),
    ignore_eos: true,
    max_tokens: 100_000,
  })
  await talker.begun
  return talker
}

/** The longest gap between tokens of a generation, in seconds, while another client's prompt is computed. */
async function gapDuringPrompt(stack: Stack): Promise<number> {
  const talker = await talk(stack)
  const before = talker.arrivals.length
  await prompt(stack).ended
  talker.leave()
  await talker.ended.catch(() => undefined)
  const times = talker.arrivals.slice(before - 1)
  return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time))) / 1000
}

/** Seconds from when two clients disconnect, one during its prompt, until a new client's first token. */
async function untilFree(stack: Stack): Promise<number> {
  const talker = await talk(stack)
  const leaver = prompt(stack)
  // Each token of the talker means that a batch with the leaver's prompt has ended, and the next has begun.
  const before = talker.arrivals.length
  while (talker.arrivals.length < before + 2) await new Promise(resolve => setTimeout(resolve, 10))
  leaver.leave()
  talker.leave()
  await Promise.allSettled([leaver.ended, talker.ended])
  const start = performance.now()
  const next = stream(stack, 'bare socket', { messages: promptOf(1), max_tokens: 1 })
  await next.begun
  const waited = (performance.now() - start) / 1000
  await next.ended
  return waited
}
