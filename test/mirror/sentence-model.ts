/** A model that knows one sentence, and answers every prompt with it. */
import { writeFileSync } from 'node:fs'
import { cached } from '../../packer/build/cache.ts'
import { step } from '../../packer/build/progress.ts'
import {
  type ChainSize,
  type ChainStep,
  encodeChain,
  endOfText,
  ownSource,
  ownSources,
  second,
  vocabulary,
} from './chain-model.ts'

export const sentence = 'Hello! This small model knows one sentence, and says it to you.'
export { contextLimit } from './chain-model.ts'

// As spelt in the vocabulary, where ▁ is a space. No token may occur twice, because each determines the next.
const tokens = 'Hello ! ▁This ▁small ▁model ▁knows ▁one ▁sentence , ▁and ▁says ▁it ▁to ▁you .'.split(' ')
// If `ignore_eos` forbids the end, the sentence starts over, after a space.
const again = '▁Hello'

/** The sentence starts after any token that is not part of it, and its last token ends the answer. */
export const sentenceSteps: ChainStep[] = [
  ...[...tokens, endOfText].map((comes, index) => ({ after: tokens[index - 1], comes })),
  { after: tokens.at(-1), comes: again, weight: second },
  { after: again, comes: '!' },
]

// Mistral's format, without tools. A prompt never ends in a token of the sentence, so the answer starts at its beginning.
const template = `{{ bos_token }}{% for message in messages %}
{%- if message.role == 'system' %}[SYSTEM_PROMPT]{{ message.content }}[/SYSTEM_PROMPT]
{%- elif message.role == 'assistant' %}{{ message.content or '' }}{{ eos_token }}
{%- else %}[INST]{{ message.content }}[/INST]
{%- endif %}
{%- endfor %}`

/**
 * Returns the model's path (9 MB). It answers every chat with the sentence, at any temperature.
 * A raw completion whose prompt ends within the sentence continues from there.
 */
export const sentenceModel = (): Promise<string> => sentenceModelOf('sentence.gguf')

/** For benchmarks: gives the same answers at the speed of a model of 150 million parameters (310 MB). */
export const wideSentenceModel = (): Promise<string> =>
  sentenceModelOf('wide.gguf', {
    width: 1024,
    layers: 8,
    feedForward: 2816,
    heads: { query: 16, keyValue: 4, size: 64 },
  })

async function sentenceModelOf(fileName: string, size?: ChainSize): Promise<string> {
  const { file, tokenizer } = await vocabulary()
  const inputs = [...ownSources(), ownSource('sentence-model.ts'), file]
  return cached(fileName, inputs, path =>
    step(`a model that knows one sentence (${fileName})`, async () => {
      const name = 'A model that knows one sentence'
      const chain = { name, tokenizer, steps: sentenceSteps, template }
      writeFileSync(path, encodeChain(size === undefined ? chain : { ...chain, size }))
    }),
  )
}
