/** Devstral's template, rendered by the real llama-server: as recorded, and with the same text as Mistral's own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chatTemplateFile } from '../../lib/render/models/chat-template.ts'
import { chats } from '../conversations/chat.ts'
import { messages } from '../conversations/messages.ts'
import { responses } from '../conversations/responses.ts'
import {
  llamaTemplate,
  missingTexts,
  renderPrompt,
  startTemplateServer,
  type TemplateServer,
} from './support/template-server.ts'

let server: TemplateServer
beforeAll(async () => {
  server = await startTemplateServer('devstral-small-2', chatTemplateFile().text)
})
afterAll(() => server?.stop())

it.each(Object.entries(chats))('renders %s', async (name, chat) => {
  const prompt = await renderPrompt(server, chat)
  const file = `${name.replaceAll(/[^a-z]+/gi, '-').toLowerCase()}.txt`
  await expect(prompt).toMatchFileSnapshot(`../conversations/devstral/${file}`)
  expect(missingTexts(prompt ?? '', chat)).toEqual([])
})

/** Prompt tokens, and how many of them were cached in the slot from the previous request. */
const usageOf = (body: string) => {
  const { usage } = JSON.parse(body)
  const known =
    usage.cache_read_input_tokens ?? (usage.input_tokens_details ?? usage.prompt_tokens_details).cached_tokens
  const isAnthropic = usage.cache_read_input_tokens !== undefined
  return { prompt: (usage.input_tokens ?? usage.prompt_tokens) + (isAnthropic ? known : 0), known }
}

it.each([
  ['/v1/messages', '/v1/messages/count_tokens', messages],
  ['/v1/responses', '/v1/responses/input_tokens', responses],
] as const)('renders the same conversations alike when sent to %s', async (path, counter, bodies) => {
  for (const [name, body] of Object.entries(bodies)) {
    const first = await server.ask('/v1/chat/completions', { ...chats[name], max_tokens: 1 })
    const { prompt } = usageOf(first.body)
    const second = await server.ask(path, { ...body, max_tokens: 40, max_output_tokens: 40 })
    expect(second.status, `${name}: ${second.body}`).toBe(200)
    // The tokens are the same if all are cached but the last, which is always recomputed.
    expect(usageOf(second.body), name).toEqual({ prompt, known: prompt - 1 })
    const counted = await server.ask(counter, body)
    expect(JSON.parse(counted.body).input_tokens, name).toBe(prompt)
  }
})

it('refuses an unknown role, and names it', async () => {
  const chat = { messages: [{ role: 'chef', content: 'Hi.' }] }
  const answer = await server.ask('/apply-template', chat)
  // 500: llama-server does not distinguish a template that refuses from one that is broken.
  expect(answer.status).toBe(500)
  expect(JSON.parse(answer.body).error.message).toContain('Unknown role "chef"')
})

describe("Mistral's own template", () => {
  // It has a default system message, for a reasoning model; Devstral has none.
  const withoutDefault = (template: string) =>
    template.replace(/(set default_system_message = )'.*'(?= %})/, "$1''")
  const endOfText = '</s>'
  // Results have no IDs in the prompt, so our template sorts them by call, as Mistral's tokenizer does.
  const sorted = 'several calls, their results in another order'

  it('gives the same text, or refuses', async () => {
    const theirs = await startTemplateServer(
      'devstral-small-2',
      withoutDefault(await llamaTemplate('mistralai-Ministral-3-14B-Reasoning-2512')),
    )
    const refused: string[] = []
    try {
      for (const [name, chat] of Object.entries(chats)) {
        const prompt = await renderPrompt(theirs, chat)
        if (prompt === undefined) refused.push(name)
        else if (name !== sorted) {
          // It ends a partial answer instead of leaving it open.
          const last = chat.messages.at(-1)
          const isOpen = last?.role === 'assistant' && !last.tool_calls && prompt.endsWith(endOfText)
          const expected = isOpen ? prompt.slice(0, -endOfText.length) : prompt
          expect(await renderPrompt(server, chat), name).toBe(expected)
        }
      }
    } finally {
      await theirs.stop()
    }
    const list = refused.map(name => `${name}\n`).join('')
    console.log(
      `${Object.keys(chats).length} conversations; Mistral's template refuses ${refused.length}:\n${list}`,
    )
    await expect(list).toMatchFileSnapshot('../conversations/lost/mistral.txt')
  })
})
