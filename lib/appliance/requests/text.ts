/** The fields of the paths without a conversation: completions, infill, tokenization. */
import {
  boolean,
  type Fields,
  fields,
  integer,
  list,
  longText,
  oneOf,
  only,
  prompt,
  required,
  schema,
  text,
  token,
} from './rules.ts'
import {
  answerLength,
  largest,
  returnProgress,
  sampling,
  stop,
  streamOptions,
  topTokens,
} from './sampling.ts'

/** A time limit in milliseconds, after which generation ends at the next line. */
const milliseconds = integer(0, largest)

export const completions = (): Fields =>
  Object.assign(
    {
      prompt: required(prompt),
      max_tokens: answerLength,
      n_predict: answerLength,
      // Each further answer would take a slot.
      n: only(1),
      best_of: only(1),
      echo: only(false),
      // Only a completion service takes one: the filter refuses it on behalf of chat.
      suffix: longText,
      stop: stop,
      logprobs: topTokens,
      json_schema: schema,
      stream_options: streamOptions,
      return_progress: returnProgress,
      t_max_predict_ms: milliseconds,
    },
    sampling(),
  )

/** llama.cpp's samplers, each by one of its names only: the filter looks for one of them. */
const samplerNames = [
  'penalties',
  'dry',
  'top_n_sigma',
  'top_k',
  'typ_p',
  'top_p',
  'min_p',
  'xtc',
  'temperature',
  'infill',
]

/** The fields that llama.vim and llama.vscode send. */
export const infill = (): Fields =>
  Object.assign(
    {
      input_prefix: required(longText),
      input_suffix: required(longText),
      input_extra: list(fields({ filename: text(4096), text: required(longText) }), 1000),
      prompt: longText,
      n_predict: answerLength,
      max_tokens: answerLength,
      n_indent: integer(0, 1000),
      stop: stop,
      samplers: list(oneOf(samplerNames), 16),
      t_max_prompt_ms: milliseconds,
      t_max_predict_ms: milliseconds,
      response_fields: list(text(256), 64),
    },
    sampling(),
  )

export const tokenize = (): Fields => ({
  content: required(longText),
  add_special: boolean,
  parse_special: boolean,
  with_pieces: boolean,
})

export const detokenize = (): Fields => ({ tokens: required(list(token, 2 ** 20)) })
