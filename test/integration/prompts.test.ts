/** The prompt that an agent sends every time is computed once: what llama-server keeps of it, and through what. */
import { afterEach, expect, it } from 'vitest'
import { ask, systemPromptOf } from './support/agent-prompts.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
afterEach(() => stack?.close())

/** Two slots, and this much RAM, in MiB, for prompts that are in none: a token takes 128 bytes in this model. */
const start = async (cacheRam: number, context: Record<string, string> = {}) => {
  stack = await startStack(context, { settings: { LLAMA_ARG_CACHE_RAM: String(cacheRam) } })
}

/** What follows the beginning: the question, and what the template puts around it. */
const few = 20

it('is not computed again for another question', async () => {
  await start(0)
  expect((await ask(stack, systemPromptOf('First'))).cached).toBeLessThan(few)
  expect((await ask(stack, systemPromptOf('First'))).computed).toBeLessThan(few)
})

it('is not computed again after a context change that reloads nothing but nginx', async () => {
  const keys = 'alice=alices-own-key-0123'
  await start(0, { ONEAPP_COPILOT_KEYS: keys })
  const pid = stack.llamaPid()
  await ask(stack, systemPromptOf('First'))
  await stack.reload({ ONEAPP_COPILOT_KEYS: `${keys} bob=bobs-own-key-012345` })
  expect((await ask(stack, systemPromptOf('First'))).computed).toBeLessThan(few)
  expect(stack.llamaPid()).toBe(pid)
})

// 5100 tokens, 0.63 MiB. What is in a slot comes in before another gets out, and the oldest makes room for it: so the
// RAM must hold one more than is to be found again.
it.each([
  { room: 'two', megabytes: 2, isKept: true },
  { room: 'one', megabytes: 1, isKept: false },
  { room: 'none', megabytes: 0, isKept: false },
])('is there again after others took all slots, if RAM has room for two: $room', async row => {
  await start(row.megabytes)
  await ask(stack, systemPromptOf('First', 1700))
  await ask(stack, systemPromptOf('Second', 1700))
  await ask(stack, systemPromptOf('Third', 1700))
  const { cached, computed } = await ask(stack, systemPromptOf('First', 1700))
  expect(row.isKept ? computed : cached, `${cached} cached, ${computed} computed`).toBeLessThan(few)
})

it('stays in its slot while another is served, though the RAM set aside is too little for it', async () => {
  await start(1)
  await ask(stack, systemPromptOf('First', 3000)) // 9000 tokens, 1.1 MiB
  await ask(stack, systemPromptOf('Second'))
  expect((await ask(stack, systemPromptOf('First', 3000))).computed).toBeLessThan(few)
})
