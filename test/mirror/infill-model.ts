/** A model that fills every gap in code with the same text. */
import { writeFileSync } from 'node:fs'
import { cached } from '../../packer/build/cache.ts'
import { step } from '../../packer/build/progress.ts'
import { encodeChain, endOfText, ownSource, ownSources, vocabulary } from './chain-model.ts'
import { withTokens } from './tool-model.ts'

/** Qwen's tokens around a gap and between files; llama.cpp finds them by these texts. */
const [prefix, suffix, middle] = ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'] as const
const controls = [prefix, suffix, middle, '<|repo_name|>', '<|file_sep|>']

/** Those around a gap. */
export const infillTokens = { prefix, suffix, middle }

/** What it fills every gap with. */
export const gapText = ' left + right'
const filling = ['▁left', '▁+', '▁right']

/** Returns the model's path (9 MB). After anything but a gap, it says hello. */
export async function infillModel(): Promise<string> {
  const { file, tokenizer } = await vocabulary()
  const inputs = [...ownSources(), ownSource('tool-model.ts'), ownSource('infill-model.ts'), file]
  return cached('infill.gguf', inputs, path =>
    step('a model that fills gaps', async () => {
      const written = [middle, ...filling, endOfText]
      const steps = [
        { after: undefined, comes: 'Hello' },
        { after: 'Hello', comes: endOfText },
        ...written.slice(1).map((comes, index) => ({ after: written[index], comes })),
      ]
      writeFileSync(
        path,
        encodeChain({
          name: 'A model that fills gaps',
          tokenizer: withTokens(tokenizer, filling, controls),
          steps,
        }),
      )
    }),
  )
}
