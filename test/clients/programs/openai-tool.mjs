/** Streamed answers, with a tool that creates a file, until one calls no tool. */
import { writeFileSync } from 'node:fs'
import { client, model } from './copilot.mjs'

const parameters = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }
const tools = [{ type: 'function', function: { name: 'touch', description: 'Makes a file.', parameters } }]
const messages = [{ role: 'user', content: process.argv[2] }]
for (;;) {
  const runner = client.chat.completions.stream({ model, messages, tools })
  const { message } = (await runner.finalChatCompletion()).choices[0]
  messages.push(message)
  if (message.content) console.log(message.content)
  if (!message.tool_calls?.length) break
  for (const { id, function: called } of message.tool_calls) {
    writeFileSync(JSON.parse(called.arguments).path, '')
    messages.push({ role: 'tool', tool_call_id: id, content: 'done' })
  }
}
