/** A model that thinks before it answers, in Qwen's format, unless the prompt has ended its thoughts. */
import { writeFileSync } from 'node:fs'
import { cached, keyOf } from '../../packer/build/cache.ts'
import { step } from '../../packer/build/progress.ts'
import { type ChainStep, encodeChain, endOfText, ownSource, ownSources, vocabulary } from './chain-model.ts'
import { sentence, sentenceSteps } from './sentence-model.ts'
import { pieces, withTokens } from './tool-model.ts'

export const thought = 'Somebody greets me; a polite reply with everything I know seems best.'

const controls = ['<|im_start|>', '<|im_end|>', '<think>', '</think>']

/** Returns the model's path (9 MB). It says this text after its thoughts, or without them. It contains no template. */
export async function thinkingModel(says = sentence): Promise<string> {
  const { file, tokenizer } = await vocabulary()
  const sources = ['sentence-model.ts', 'tool-model.ts', 'thinking-model.ts'].map(ownSource)
  return cached(`thinks-${keyOf([says])}.gguf`, [...ownSources(), ...sources, file], path =>
    step('a model that thinks', async () => {
      const thoughts = pieces(thought, new Set())
      const said = pieces(says, new Set(thoughts))
      const chain = {
        name: 'A model that thinks',
        tokenizer: withTokens(tokenizer, [...thoughts, ...said], controls),
        steps: [
          ...inTurn([...thoughts, '</think>']),
          ...(says === sentence
            ? sentenceSteps
            : [{ after: undefined, comes: said[0] ?? '' }, ...inTurn([...said, endOfText])]),
        ],
        // The line break is the prompt's last token: `<think>` and a line break, or `</think>` and two.
        condition: { after: '<0x0A>', comes: thoughts[0] ?? '', ifSeen: '<think>', unlessSeen: '</think>' },
      }
      writeFileSync(path, encodeChain(chain))
    }),
  )
}

const inTurn = (tokens: string[]): ChainStep[] =>
  tokens.slice(1).map((comes, index) => ({ after: tokens[index], comes }))
