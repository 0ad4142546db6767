/** Prompts like those that agents send, and how many of their tokens llama-server had cached. */
import { expect } from 'vitest'
import { http } from '../../../lib/system/http.ts'
import type { Stack } from './stack.ts'

/** A system prompt, by default of some 3000 tokens, that shares no beginning with those of other agents. */
export const systemPromptOf = (agent: string, repeat = 1000) => `${agent}: ${'do as told '.repeat(repeat)}`

let questions = 0
/** A question that has not been asked before. */
const newQuestion = () => {
  questions += 1
  return `Question ${questions}?`
}

/** Asks through nginx; returns how many tokens of the prompt were cached, and how many had to be computed. */
export async function ask(
  stack: Stack,
  system: string,
  question = newQuestion(),
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
