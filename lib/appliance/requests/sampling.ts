/** Fields shared by several kinds of request: sampling parameters, limited by what they cost in llama.cpp. */
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

/** llama.cpp keeps most numbers in 32 bits. */
export const largest = 2 ** 31 - 1

/** The answer's maximum length; -1 for the rest of the context, which is the real limit. */
export const answerLength = integer(-1, largest)
/** Stop strings: each one is searched for at every token. */
export const stop = either([text(256), list(text(256), 64)])
/** How many top tokens to return: they are sorted and sent at every token. */
export const topTokens = integer(0, 20)
export const effort = oneOf(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])
export const identifier = text(1024)
export const functionName = text(256)

export const sampling = (): Fields => ({
  temperature: number(0, 2),
  top_p: number(0, 1),
  top_k: integer(-1, 1_000_000),
  min_p: number(0, 1),
  // OpenAI's API takes 64 bits; llama-server keeps the last 32.
  seed: integer(-(2 ** 53) + 1, 2 ** 53 - 1),
  presence_penalty: number(-2, 2),
  frequency_penalty: number(-2, 2),
  // llama.cpp divides by it.
  repeat_penalty: number(0.1, 10),
  // llama.cpp allocates a ring buffer of this many tokens and iterates over it.
  repeat_last_n: integer(0, 32_768),
  logit_bias: mapByNumber(number(-100, 100), 300),
  // For benchmarks, which need answers of a given length.
  ignore_eos: boolean,
  stream: boolean,
})

/** Progress events during prompt processing; they reveal no more about the cache than `usage` does. */
export const returnProgress = boolean

export const streamOptions = fields({ include_usage: boolean })
