/** A model that knows one sentence, and says it whatever it is asked. */
import { writeFileSync } from 'node:fs'
import { cached } from '../../packer/cache.ts'
import { step } from '../../packer/progress.ts'
import {
  encodeChain,
  endOfText,
  ownSource,
  ownSources,
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
export async function sentenceModel(): Promise<string> {
  const { file, tokenizer } = await vocabulary()
  const inputs = [...ownSources(), ownSource('sentence-model.ts'), file]
  return cached('sentence.gguf', inputs, path =>
    step('a model that knows one sentence', async () => {
      const name = 'A model that knows one sentence'
      writeFileSync(path, encodeChain({ name, tokenizer, steps: sentenceSteps, template }))
    }),
  )
}
