/** An answer that is not streamed. */
import { client, model } from './copilot.mjs'

const messages = [{ role: 'user', content: process.argv[2] }]
const { content } = await client.messages.create({ model, messages, max_tokens: 1024 })
console.log(content[0].text)
