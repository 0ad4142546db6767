/** An answer that is not streamed. */
import { generateText } from 'ai'
import { model } from './copilot.mjs'

console.log((await generateText({ model, prompt: process.argv[2] })).text)
