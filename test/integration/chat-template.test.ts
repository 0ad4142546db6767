/** Our own templates, rendered by the real llama-server: as recorded, and with the same text as the publishers' own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TemplateName } from '../../lib/appliance/models/catalogue.ts'
import { chatTemplateFile } from '../../lib/render/models/chat-template/files.ts'
import { type Chat, chats } from '../conversations/chat.ts'
import { messages } from '../conversations/messages.ts'
import { responses } from '../conversations/responses.ts'
import {
  llamaTemplate,
  type ModelName,
  missingTexts,
  renderPrompt,
  startTemplateServer,
  type TemplateServer,
} from './support/template-server.ts'

const served = { devstral: 'devstral-small-2', 'qwen3.5': 'qwen3.6-35b-a3b' } as const satisfies Record<
  TemplateName,
  ModelName
>
const names = Object.keys(served) as TemplateName[]
const servers = {} as Record<TemplateName, TemplateServer>
beforeAll(async () => {
  for (const name of names)
    servers[name] = await startTemplateServer(served[name], chatTemplateFile(name).text)
})
afterAll(async () => {
  for (const server of Object.values(servers)) await server.stop()
})

/** What llama-server itself refuses to continue. */
const refused: Record<TemplateName, string[]> = {
  devstral: [],
  'qwen3.5': ['two answers at the end, the last begun', 'a call at the end'],
}

const each = names.flatMap(template =>
  Object.entries(chats).map(([name, chat]) => ({ template, name, chat })),
)

it.each(each)('$template: renders $name', async ({ template, name, chat }) => {
  const prompt = await renderPrompt(servers[template], chat)
  const file = `${name.replaceAll(/[^a-z]+/gi, '-').toLowerCase()}.txt`
  await expect(prompt ?? 'refused').toMatchFileSnapshot(`../conversations/${template}/${file}`)
  if (prompt === undefined) expect(refused[template]).toContain(name)
  else expect(missingTexts(prompt, chat)).toEqual([])
})

/** Prompt tokens, and how many of them were cached in the slot from the previous request. */
const usageOf = (body: string) => {
  const { usage } = JSON.parse(body)
  const known =
    usage.cache_read_input_tokens ?? (usage.input_tokens_details ?? usage.prompt_tokens_details).cached_tokens
  const isAnthropic = usage.cache_read_input_tokens !== undefined
  return { prompt: (usage.input_tokens ?? usage.prompt_tokens) + (isAnthropic ? known : 0), known }
}

const apis = [
  ['/v1/messages', '/v1/messages/count_tokens', messages],
  ['/v1/responses', '/v1/responses/input_tokens', responses],
] as const
const alike = names.flatMap(template => apis.map(api => [template, ...api] as const))

it.each(alike)(
  '%s: renders the same conversations alike when sent to %s',
  async (template, path, counter, bodies) => {
    const server = servers[template]
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
  },
)

it.each(names)('%s: refuses an unknown role, and names it', async template => {
  const chat = { messages: [{ role: 'chef', content: 'Hi.' }] }
  const answer = await servers[template].ask('/apply-template', chat)
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
          expect(await renderPrompt(servers.devstral, chat), name).toBe(expected)
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

describe("Qwen's own template", () => {
  // Ours has tools elsewhere, thoughts in old answers as requested, parts on lines of their own, and JSON's true and false.
  const isComparable = ({ messages }: Chat) =>
    messages.every(({ content, reasoning_content }) => !Array.isArray(content) && !reasoning_content)
  const spelt = (prompt: string) => prompt.replaceAll(/^(True|False)$/gm, text => text.toLowerCase())

  it('gives the same text without tools, or refuses', async () => {
    const theirs = await startTemplateServer('qwen3.6-35b-a3b', await llamaTemplate('Qwen3.5-4B'))
    const found: Record<'refused' | 'alike' | 'different', string[]> = {
      refused: [],
      alike: [],
      different: [],
    }
    try {
      for (const [name, { messages }] of Object.entries(chats).filter(([, chat]) => isComparable(chat))) {
        const chat = { messages, chat_template_kwargs: { preserve_thinking: false } }
        const [prompt, ours] = [
          await renderPrompt(theirs, chat),
          await renderPrompt(servers['qwen3.5'], chat),
        ]
        const outcome = prompt === undefined ? 'refused' : spelt(prompt) === ours ? 'alike' : 'different'
        found[outcome].push(name)
      }
    } finally {
      await theirs.stop()
    }
    console.log(found)
    expect(found.alike.length).toBeGreaterThan(10)
    // Theirs has results in the order in which they come, and no null.
    expect(found.different).toEqual([
      'several calls, their results in another order',
      'arguments of every kind',
    ])
  })
})
