/** An answer that is not streamed. */
import { client, model } from './copilot.mjs'

const messages = [{ role: 'user', content: process.argv[2] }]
const { choices } = await client.chat.completions.create({ model, messages })
console.log(choices[0].message.content)
