/** The models that are served with the template in their files: what of the same conversations it refuses and drops. */
import { expect, it } from 'vitest'
import { catalogue } from '../../lib/appliance/catalogue.ts'
import { chats } from '../conversations/chat.ts'
import { dropped, type ModelName, render, serve, templateNamed } from './served.ts'

/** What llama.cpp's source has of each family; the files of the weights are not here. */
const templates: Partial<Record<ModelName, string>> = {
  'qwen3-coder-30b-a3b': 'Qwen3-Coder',
  'gpt-oss-20b': 'openai-gpt-oss-120b',
  'qwen2.5-coder-3b': 'Qwen-Qwen2.5-7B-Instruct',
}
const names = Object.values(catalogue).flatMap(model => ('template' in model ? [] : model.name))

it.each(names)('%s', async name => {
  const server = await serve(name, await templateNamed(templates[name] ?? name))
  const lost: string[] = []
  try {
    for (const [conversation, chat] of Object.entries(chats)) {
      const prompt = await render(server, chat)
      if (prompt === undefined) lost.push(`${conversation}: refused`)
      else
        for (const text of dropped(prompt, chat)) lost.push(`${conversation}: drops ${JSON.stringify(text)}`)
    }
  } finally {
    await server.stop()
  }
  const list = lost.map(line => `${line}\n`).join('')
  console.log(`${name}: of ${Object.keys(chats).length} conversations its template loses\n${list}`)
  await expect(list).toMatchFileSnapshot(`../conversations/lost/${name}.txt`)
})
