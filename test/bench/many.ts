/** Fifty clients on two slots with generations of half a minute: the effect of different Retry-After times. */
import { type RetryAfter, retryAfter, retryAfterMap } from '../../lib/render/nginx/retry-after.ts'
import { nested } from '../../lib/render/nginx/syntax.ts'
import { mean, runClients, summarize } from '../integration/support/concurrent-clients.ts'
import { type Stack, startStack } from '../integration/support/stack.ts'
import { wideSentenceModel } from '../mirror/sentence-model.ts'
import { promptOf, stream } from './measure.ts'

const clients = 50
const slots = 2
const generationSeconds = 30
const choices: RetryAfter[] = [retryAfter, { least: 5, most: 5 }, { least: 10, most: 20 }]
const keys = ['first', 'second', 'third', 'fourth', 'fifth'].map(name => ({
  name,
  key: `${name}-key-0123456`,
}))

/** Prints a line for each range of Retry-After. */
export async function benchMany(): Promise<void> {
  console.log(
    '  Retry-After, s   served   interrupted   retries: mean   most   longest wait, s   in all, s   slots in use   a generation, s',
  )
  for (const choice of choices) await measure(choice)
  console.log(
    `  ${clients} clients, ${slots} slots, ${keys.length} keys; one client in ten disconnects; one worker of each nginx is killed.`,
  )
}

async function measure(choice: RetryAfter): Promise<void> {
  const stack = await startStack(
    { ONEAPP_COPILOT_KEYS: keys.map(({ name, key }) => `${name}=${key}`).join('\n') },
    {
      settings: { LLAMA_ARG_MODEL: await wideSentenceModel() },
      ...(choice !== retryAfter && {
        site: text => text.replace(nested(retryAfterMap(retryAfter)), nested(retryAfterMap(choice))),
      }),
    },
  )
  try {
    const tokens = Math.round((await rateOfTwo(stack)) * generationSeconds)
    const kill = (count: number) => {
      if (count === 10) process.kill(stack.workers()[0] ?? 0, 'SIGKILL')
      if (count === 20) process.kill(stack.admissionWorkers()[0] ?? 0, 'SIGKILL')
    }
    const start = performance.now()
    const all = await runClients(stack, {
      clients,
      keys: keys.map(({ key }) => key),
      tokens,
      onAdmitted: kill,
    })
    const seconds = (performance.now() - start) / 1000
    const { served, interrupted, meanRetries, mostRetries, longestWait } = summarize(all)
    const inUse = all.reduce((sum, { slotSeconds }) => sum + slotSeconds, 0) / (slots * seconds)
    const steady = all.filter(({ behaviour, interruptions }) => behaviour === 'steady' && interruptions === 0)
    const { least, most } = choice
    console.log(
      `  ${(least === most ? `${least}` : `${least} to ${most}`).padStart(14)}${String(served).padStart(9)}` +
        `${String(interrupted).padStart(6)}${meanRetries.toFixed(1).padStart(16)}${String(mostRetries).padStart(7)}` +
        `${longestWait.toFixed(0).padStart(18)}${seconds.toFixed(0).padStart(12)}${`${(inUse * 100).toFixed(0)} %`.padStart(15)}` +
        mean(steady.map(({ slotSeconds }) => slotSeconds))
          .toFixed(0)
          .padStart(18),
    )
  } finally {
    await stack.close()
  }
}

/** Tokens per second of the slower of two simultaneous generations. */
async function rateOfTwo(stack: Stack): Promise<number> {
  const completion = () => ({ messages: promptOf(1), ignore_eos: true, max_tokens: 100 })
  const two = await Promise.all([1, 2].map(() => stream(stack, 'bare socket', completion()).ended))
  return Math.min(...two.map(({ rate }) => rate))
}
