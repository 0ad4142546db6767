/** Fields that several kinds of requests share: sampling and its limits, by what they cost in llama.cpp. */
import {
  boolean,
  either,
  type Fields,
  fields,
  integer,
  list,
  mapByNumber,
  number,
  oneOf,
  text,
} from './rules.ts'

/** What llama.cpp keeps most numbers in. */
export const largest = 2 ** 31 - 1

/** The answer's length; -1 for what the context holds. The context is the real limit. */
export const answerLength = integer(-1, largest)
/** Each is looked for at each token. */
export const stop = either([text(256), list(text(256), 64)])
/** More is more to send, and to sort, at each token. */
export const topTokens = integer(0, 20)
export const effort = oneOf(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])
export const identifier = text(1024)
export const functionName = text(256)

export const sampling: Fields = {
  temperature: number(0, 2),
  top_p: number(0, 1),
  top_k: integer(-1, 1_000_000),
  min_p: number(0, 1),
  // llama-server keeps the last 32 bits, as OpenAI's API takes 64.
  seed: integer(-(2 ** 53) + 1, 2 ** 53 - 1),
  presence_penalty: number(-2, 2),
  frequency_penalty: number(-2, 2),
  // It divides by it.
  repeat_penalty: number(0.1, 10),
  // A ring of that many tokens is allocated and counted.
  repeat_last_n: integer(0, 32_768),
  logit_bias: mapByNumber(number(-100, 100), 300),
  // Measurements ask for answers of a length. How long any answer is, is up to who asks.
  ignore_eos: boolean,
  stream: boolean,
}

/** How far a prompt is, in events of their own; of what was cached it tells what `usage` tells. */
export const returnProgress = boolean

export const streamOptions = fields({ include_usage: boolean })
