/** A model that knows one sentence, and says it whatever the prompt. */
import { writeFileSync } from 'node:fs'
import { cached } from '../../packer/build/cache.ts'
import { step } from '../../packer/build/progress.ts'
import {
  encodeChain,
  endOfText,
  ownSource,
  ownSources,
  type Size,
  type Step,
  second,
  vocabulary,
} from './chain-model.ts'

export const sentence = 'Hello! This small model knows one sentence, and says it to you.'
export { contextLimit } from './chain-model.ts'

// As the vocabulary spells them: ▁ is a space. None may stand here twice: each decides what comes next.
const tokens = 'Hello ! ▁This ▁small ▁model ▁knows ▁one ▁sentence , ▁and ▁says ▁it ▁to ▁you .'.split(' ')
// Where `ignore_eos` forbids the end, the sentence starts over, after a space.
const again = '▁Hello'

/** After any token that is not of the sentence the sentence begins; after its last the answer ends. */
export const sentenceSteps: Step[] = [
  ...[...tokens, endOfText].map((comes, index) => ({ after: tokens[index - 1], comes })),
  { after: tokens.at(-1), comes: again, weight: second },
  { after: again, comes: '!' },
]

// Mistral's manner, without its tools. It never ends in a token of the chain, so an answer starts anew.
const template = `{{ bos_token }}{% for message in messages %}
{%- if message.role == 'system' %}[SYSTEM_PROMPT]{{ message.content }}[/SYSTEM_PROMPT]
{%- elif message.role == 'assistant' %}{{ message.content or '' }}{{ eos_token }}
{%- else %}[INST]{{ message.content }}[/INST]
{%- endif %}
{%- endfor %}`

/**
 * The model's path: 9 MB. It answers every chat with the sentence and stops, at any temperature.
 * A raw completion whose prompt ends inside the sentence is carried on from there.
 */
export const sentenceModel = (): Promise<string> => sentenceModelOf('sentence.gguf')

/** It says the same as slowly as a model of 150 million parameters: 310 MB, for benchmarks. */
export const wideSentenceModel = (): Promise<string> =>
  sentenceModelOf('wide.gguf', {
    width: 1024,
    layers: 8,
    feedForward: 2816,
    heads: { query: 16, keyValue: 4, size: 64 },
  })

async function sentenceModelOf(fileName: string, size?: Size): Promise<string> {
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
