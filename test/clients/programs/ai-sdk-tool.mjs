/** A streamed answer, with a tool that creates a file. */
import { writeFileSync } from 'node:fs'
import { isStepCount, jsonSchema, streamText, tool } from 'ai'
import { model } from './copilot.mjs'

const touch = tool({
  description: 'Makes a file.',
  inputSchema: jsonSchema({
    type: 'object',
    properties: { path: { type: 'string' } },
    required: ['path'],
  }),
  execute: ({ path }) => {
    writeFileSync(path, '')
    return 'done'
  },
})
const { textStream } = streamText({
  model,
  prompt: process.argv[2],
  tools: { touch },
  stopWhen: isStepCount(3),
})
for await (const text of textStream) process.stdout.write(text)
