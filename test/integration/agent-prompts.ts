/** Prompts as agents send them, and how much of one llama-server still had. */
import { expect } from 'vitest'
import { http } from '../../lib/system/http.ts'
import type { Stack } from './stack.ts'

/** A system prompt with tools, by default of 3000 tokens that it shares with no other agent's. */
export const beginning = (agent: string, repeat = 1000) => `${agent}: ${'do as told '.repeat(repeat)}`

let questions = 0
/** One that was not asked before. */
const another = () => {
  questions += 1
  return `Question ${questions}?`
}

/** Asks through nginx, and tells how many tokens of the prompt were there already, and how many were not. */
export async function ask(
  stack: Stack,
  system: string,
  question = another(),
): Promise<{ cached: number; computed: number }> {
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
