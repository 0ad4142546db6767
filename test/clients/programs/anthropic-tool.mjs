/** Streamed answers, with a tool that creates a file, until one calls no tool. */
import { writeFileSync } from 'node:fs'
import { client, model } from './copilot.mjs'

const schema = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }
const tools = [{ name: 'touch', description: 'Makes a file.', input_schema: schema }]
const messages = [{ role: 'user', content: process.argv[2] }]
for (;;) {
  const stream = client.messages.stream({ model, messages, tools, max_tokens: 1024 })
  const { content } = await stream.finalMessage()
  messages.push({ role: 'assistant', content })
  for (const block of content) if (block.type === 'text') console.log(block.text)
  const calls = content.filter(({ type }) => type === 'tool_use')
  if (calls.length === 0) break
  const results = calls.map(({ id, input }) => {
    writeFileSync(input.path, '')
    return { type: 'tool_result', tool_use_id: id, content: 'done' }
  })
  messages.push({ role: 'user', content: results })
}
