/** The prompt that an agent sends every time is computed once: what llama-server caches of it, and for how long. */
import { afterEach, expect, it } from 'vitest'
import { ask, systemPromptOf } from './support/agent-prompts.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
afterEach(() => stack?.close())

/** Two slots, and `cacheRam` MiB for prompts that are in no slot: a token takes 128 bytes in this model. */
const start = async (cacheRam: number, context: Record<string, string> = {}) => {
  stack = await startStack(context, { settings: { LLAMA_ARG_CACHE_RAM: String(cacheRam) } })
}

/** Tokens after the common beginning, at most: the question, and what the template puts around it. */
const few = 20

it('is not recomputed for another question', async () => {
  await start(0)
  expect((await ask(stack, systemPromptOf('First'))).cached).toBeLessThan(few)
  expect((await ask(stack, systemPromptOf('First'))).computed).toBeLessThan(few)
})

it('is not recomputed after a context change that only reloads nginx', async () => {
  const keys = 'alice=alices-own-key-0123'
  await start(0, { ONEAPP_COPILOT_KEYS: keys })
  const pid = stack.llamaPid()
  await ask(stack, systemPromptOf('First'))
  await stack.reload({ ONEAPP_COPILOT_KEYS: `${keys} bob=bobs-own-key-012345` })
  expect((await ask(stack, systemPromptOf('First'))).computed).toBeLessThan(few)
  expect(stack.llamaPid()).toBe(pid)
})

// Each has 5100 tokens, 0.63 MiB. The prompt in a slot moves into the cache, evicting the oldest, before another is
// taken out: so the RAM must hold one prompt more than will be found again.
it.each([
  { room: 'two', megabytes: 2, isKept: true },
  { room: 'one', megabytes: 1, isKept: false },
  { room: 'none', megabytes: 0, isKept: false },
])('is still cached after others used all slots, if RAM has room for two: $room', async row => {
  await start(row.megabytes)
  await ask(stack, systemPromptOf('First', 1700))
  await ask(stack, systemPromptOf('Second', 1700))
  await ask(stack, systemPromptOf('Third', 1700))
  const { cached, computed } = await ask(stack, systemPromptOf('First', 1700))
  expect(row.isKept ? computed : cached, `${cached} cached, ${computed} computed`).toBeLessThan(few)
})

it('stays in its slot while another is served, even if it is larger than the cache in RAM', async () => {
  await start(1)
  await ask(stack, systemPromptOf('First', 3000)) // 9000 tokens, 1.1 MiB
  await ask(stack, systemPromptOf('Second'))
  expect((await ask(stack, systemPromptOf('First', 3000))).computed).toBeLessThan(few)
})
