/** The prompt that an agent sends every time is computed once: what llama-server keeps of it, and through what. */
import { afterEach, expect, it } from 'vitest'
import { http } from '../../lib/system/http.ts'
import { type Stack, startStack } from './stack.ts'

/** A system prompt with tools, as agents send it: some thousand tokens that none shares with another. */
const beginning = (agent: string, repeat = 1000) => `${agent}: ${'do as told '.repeat(repeat)}`
type Three = [string, string, string]

let stack: Stack
afterEach(() => stack?.close())

/** Two slots, and this much RAM, in MiB, for prompts that are in none: a token takes 128 bytes in this model. */
const start = async (cacheRam: number) => {
  stack = await startStack({}, { settings: { LLAMA_ARG_CACHE_RAM: String(cacheRam) } })
}

/** Asks through nginx, and tells how many tokens of the prompt were there already, and how many were not. */
async function ask(system: string, question: string): Promise<{ cached: number; computed: number }> {
  const { status, body } = await http({
    url: `${stack.url}/v1/chat/completions`,
    ca: stack.ca,
    headers: { authorization: `Bearer ${stack.key}` },
    json: {
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: question },
      ],
      max_tokens: 1,
    },
    timeout: 120,
  })
  expect(status, body).toBe(200)
  const { usage } = JSON.parse(body)
  const cached: number = usage.prompt_tokens_details.cached_tokens
  return { cached, computed: usage.prompt_tokens - cached }
}

const other = { question: 0 }
const another = () => {
  other.question += 1
  return `Question ${other.question}?`
}

/** As many other agents as there are slots. */
async function interlopers() {
  await ask(beginning('Second'), another())
  await ask(beginning('Third'), another())
}

it('is not computed again for another question', async () => {
  await start(0)
  expect(await ask(beginning('First'), another())).toMatchObject({ cached: 0 })
  expect((await ask(beginning('First'), another())).computed).toBeLessThan(20)
})

it('is not computed again after a context change that reloads nothing but nginx', async () => {
  await start(0)
  const pid = stack.llamaPid()
  await ask(beginning('First'), another())
  await stack.reload({ ONEAPP_COPILOT_KEYS: 'alice=alices-own-key-0123' })
  expect((await ask(beginning('First'), another())).computed).toBeLessThan(20)
  expect(stack.llamaPid()).toBe(pid)
})

it('is not computed again when others took all the slots meanwhile', async () => {
  await start(2)
  await ask(beginning('First'), another())
  await interlopers()
  expect((await ask(beginning('First'), another())).computed).toBeLessThan(20)
})

it('is computed again then, where no RAM is set aside', async () => {
  await start(0)
  await ask(beginning('First'), another())
  await interlopers()
  expect((await ask(beginning('First'), another())).cached).toBeLessThan(20)
})

it.each([
  { room: 'two', megabytes: 2, kept: true },
  // What is in the slot comes in before the other gets out, and the oldest makes room for it.
  { room: 'one', megabytes: 1, kept: false },
])('is found again in RAM that has room for $room of its size: $kept', async ({ megabytes, kept }) => {
  await start(megabytes)
  const [first, second, third] = ['First', 'Second', 'Third'].map(agent => beginning(agent, 1700)) as Three
  await ask(first, another())
  await ask(second, another())
  await ask(third, another())
  const { cached, computed } = await ask(first, another())
  expect((kept ? computed : cached) < 20, `${cached} cached, ${computed} computed`).toBe(true)
})

it('stays in its slot while another is served, though the RAM set aside is too little for it', async () => {
  await start(1)
  const long = beginning('First', 3000) // 9000 tokens, 1.1 MiB
  await ask(long, another())
  await ask(beginning('Second'), another())
  expect((await ask(long, another())).computed).toBeLessThan(20)
})
