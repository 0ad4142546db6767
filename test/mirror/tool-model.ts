/** A model that calls a tool if it is given tools, and answers with the sentence after a result or without tools. */
import { writeFileSync } from 'node:fs'
import { cached, keyOf } from '../../packer/build/cache.ts'
import { step } from '../../packer/build/progress.ts'
import {
  type ChainStep,
  encodeChain,
  endOfText,
  ownSource,
  ownSources,
  tokensOf,
  vocabulary,
} from './chain-model.ts'
import type { Metadata } from './gguf.ts'
import { sentenceSteps } from './sentence-model.ts'

/** The call that it makes; `arguments` is its literal output, and must match the tool's schema. */
export type Call = { name: string; arguments: string }

/** The default call. */
export const readCall: Call = { name: 'read', arguments: '{"filePath":"hello.py"}' }

/** Mistral's control tokens; text cannot produce them. */
const controls = [
  '[SYSTEM_PROMPT]',
  '[/SYSTEM_PROMPT]',
  '[AVAILABLE_TOOLS]',
  '[/AVAILABLE_TOOLS]',
  '[INST]',
  '[/INST]',
  '[TOOL_CALLS]',
  '[ARGS]',
  '[TOOL_RESULTS]',
  '[/TOOL_RESULTS]',
  '[THINK]',
  '[/THINK]',
]
/** LLAMA_TOKEN_TYPE_NORMAL and _CONTROL, llama.h */
const types = { normal: 1, control: 3 }

/** Returns the model's path (9 MB). It contains no template, and must be served with Devstral's. */
export async function toolModel(call: Call = readCall): Promise<string> {
  const { file, tokenizer } = await vocabulary()
  const inputs = [...ownSources(), ownSource('sentence-model.ts'), ownSource('tool-model.ts'), file]
  // Each call has a file name of its own, so that none replaces a file that is in use.
  const name = `calls-${call.name}-${keyOf([call.arguments])}.gguf`
  return cached(name, inputs, path =>
    step(`a model that calls ${call.name}`, async () => {
      const said = new Set(sentenceSteps.flatMap(({ after, comes }) => [after ?? '', comes]))
      const called = pieces(call.name, said)
      const given = pieces(call.arguments, new Set([...said, ...called]))
      const chain = {
        name: `A model that calls ${call.name}`,
        tokenizer: withTokens(tokenizer, [...called, ...given], controls),
        steps: [...sentenceSteps, ...callSteps(called, given)],
        condition: {
          after: '[/INST]',
          comes: '[TOOL_CALLS]',
          ifSeen: '[AVAILABLE_TOOLS]',
          // Some clients add text after a result, which must not trigger the call again.
          unlessSeen: '[TOOL_RESULTS]',
        },
      }
      writeFileSync(path, encodeChain(chain))
    }),
  )
}

/** Splits a text into pieces of six or more characters, all different, because each determines the next. */
export function pieces(text: string, taken: Set<string>): string[] {
  const found: string[] = []
  let piece = ''
  for (const character of text.replaceAll(' ', '▁')) {
    piece += character
    if (piece.length < 6 || taken.has(piece) || found.includes(piece)) continue
    found.push(piece)
    piece = ''
  }
  if (piece === '') return found
  return taken.has(piece) || found.includes(piece)
    ? [...found.slice(0, -1), `${found.at(-1) ?? ''}${piece}`]
    : [...found, piece]
}

/** Replaces the last tokens of the vocabulary, which are rare characters, with control tokens and missing pieces. */
export function withTokens(tokenizer: Metadata, wanted: string[], controls: string[]): Metadata {
  const known = tokensOf(tokenizer)
  const ofType = tokenizer.get('tokenizer.ggml.token_type')
  if (ofType?.type !== 'array' || ofType.of === 'string')
    throw new Error('the vocabulary has no types of tokens')
  const lacking = wanted.filter(piece => !known.includes(piece))
  const kept = known.length - lacking.length - controls.length
  const tokens = [...known.slice(0, kept), ...lacking, ...controls]
  const typed = [
    ...ofType.value.slice(0, kept),
    ...lacking.map(() => types.normal),
    ...controls.map(() => types.control),
  ]
  return new Map([
    ...tokenizer,
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'array', of: ofType.of, value: typed }],
  ])
}

function callSteps(called: string[], given: string[]): ChainStep[] {
  const written = ['[TOOL_CALLS]', ...called, '[ARGS]', ...given, endOfText]
  const steps = written.slice(1).map((comes, index) => ({ after: written[index], comes }))
  // Without tools, answer with the sentence.
  return [...steps, { after: '[/INST]', comes: sentenceSteps[0]?.comes ?? endOfText }]
}
