/** The models that are served with the template in their files: which conversations it refuses, and what it drops. */
import { expect, it } from 'vitest'
import { catalogue } from '../../lib/appliance/models/catalogue.ts'
import { filterRequest } from '../../lib/edge/filter.ts'
import { chatTemplateFile } from '../../lib/render/models/chat-template/files.ts'
import { saltOf } from '../../lib/render/nginx/tenants.ts'
import { type Chat, chats } from '../conversations/chat.ts'
import {
  llamaTemplate,
  type ModelName,
  missingTexts,
  renderPrompt,
  startTemplateServer,
} from './support/template-server.ts'

/** The template of each family in llama.cpp's source: the models' own files are not available here. */
const templates: Partial<Record<ModelName, string>> = {
  'qwen3-coder-30b-a3b': 'Qwen3-Coder',
  'gpt-oss-20b': 'openai-gpt-oss-120b',
  'qwen2.5-coder-3b': 'Qwen-Qwen2.5-7B-Instruct',
}
const names = Object.values(catalogue).flatMap(model => ('template' in model ? [] : model.name))

it.each(names)('%s', async name => {
  const server = await startTemplateServer(name, await llamaTemplate(templates[name] ?? name))
  const lost: string[] = []
  try {
    for (const [conversation, chat] of Object.entries(chats)) {
      const prompt = await renderPrompt(server, chat)
      if (prompt === undefined) lost.push(`${conversation}: refused`)
      else
        for (const text of missingTexts(prompt, chat))
          lost.push(`${conversation}: drops ${JSON.stringify(text)}`)
    }
  } finally {
    await server.stop()
  }
  const list = lost.map(line => `${line}\n`).join('')
  console.log(`${name}: of ${Object.keys(chats).length} conversations its template loses\n${list}`)
  await expect(list).toMatchFileSnapshot(`../conversations/lost/${name}.txt`)
})

/** What llama-server receives for a conversation of the tenant with this salt. */
function marked(chat: object, salt: string): object {
  const settings = { models: ['any'], readsImages: false, vocabulary: 32_000, companions: {} }
  const filtered = filterRequest('/v1/chat/completions', JSON.stringify(chat), settings, salt)
  if (!('body' in filtered)) throw new Error(JSON.stringify(filtered.error))
  return JSON.parse(filtered.body)
}

it.each(Object.values(catalogue))(
  '$name puts nothing from a request before its tenant’s tag',
  async model => {
    const template =
      'template' in model
        ? chatTemplateFile(model.template).text
        : await llamaTemplate(templates[model.name] ?? model.name)
    const server = await startTemplateServer(model.name, template)
    const salt = saltOf('a-key-of-somebody')
    const before = new Set<string>()
    let rendered = 0
    try {
      for (const chat of Object.values(chats)) {
        const prompt = await renderPrompt(server, marked(chat, salt) as Chat)
        if (prompt === undefined) continue
        rendered += 1
        before.add(prompt.slice(0, prompt.indexOf(salt)))
      }
    } finally {
      await server.stop()
    }
    console.log(`${model.name}: ${rendered} conversations, before the tag:`, [...before])
    expect(rendered).toBeGreaterThan(30)
    // gpt-oss's template adds the same sentence to its text if there are any tools.
    expect(before.size).toBeLessThanOrEqual(model.name === 'gpt-oss-20b' ? 2 : 1)
  },
)
