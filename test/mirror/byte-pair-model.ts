/** A model with GPT-2's vocabulary, and the patterns by which a catalogue model splits text (its pre-tokenizer). */
import { writeFileSync } from 'node:fs'
import { cached } from '../../packer/build/cache.ts'
import { step } from '../../packer/build/progress.ts'
import { encodeChain, ownSource, ownSources } from './chain-model.ts'
import { readMetadata, string } from './gguf.ts'
import { llamaFile } from './llama-source.ts'

/** Values of `tokenizer.ggml.pre`: those of Devstral, gpt-oss, and the Qwen coders. */
export const preTokenizers = ['tekken', 'gpt-4o', 'qwen2'] as const
export type PreTokenizer = (typeof preTokenizers)[number]

const vocabularyFile = 'models/ggml-vocab-gpt-2.gguf'
/** Both the first and the last token of a text in this vocabulary. */
const endOfText = '<|endoftext|>'

/** Returns the model's path (13 MB). It answers every prompt with the same word. */
export async function bytePairModel(preTokenizer: PreTokenizer): Promise<string> {
  const inputs = [
    vocabularyFile,
    ...ownSources(),
    ownSource('byte-pair-model.ts'),
    ownSource('llama-source.ts'),
  ]
  return cached(`byte-pairs-${preTokenizer}.gguf`, inputs, path =>
    step(`a model that splits text as ${preTokenizer} does`, async () => {
      const metadata = readMetadata(await llamaFile(vocabularyFile))
      const tokenizer = new Map([...metadata].filter(([key]) => key.startsWith('tokenizer.ggml.'))).set(
        'tokenizer.ggml.pre',
        string(preTokenizer),
      )
      const steps = [
        { after: undefined, comes: 'Hello' },
        { after: 'Hello', comes: endOfText },
      ]
      writeFileSync(path, encodeChain({ name: `Byte pairs: ${preTokenizer}`, tokenizer, steps }))
    }),
  )
}
