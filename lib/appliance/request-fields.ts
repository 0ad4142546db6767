/** The fields that reach llama-server, by path: what clients need, each with its type and range. Imports nothing outside. */
import {
  anything,
  boolean,
  either,
  type Fields,
  fields,
  integer,
  leftOut,
  list,
  longText,
  map,
  nothing,
  number,
  oneOf,
  refused,
  required,
  schema,
  text,
  variant,
  withImages,
} from './request-rules.ts'

const most = 2 ** 31 - 1
const identifier = text(256)
const tokens = integer(-1, most)
const stop = either([text(256), list(text(256), 16)])
const maxMessages = 10_000
const maxParts = 1000
const maxTools = 512

/** What every generation may ask of sampling. */
const sampling: Fields = {
  temperature: number(0, 2),
  top_p: number(0, 1),
  top_k: integer(0, 1000),
  min_p: number(0, 1),
  typical_p: number(0, 1),
  seed: integer(-1, 2 ** 32 - 1),
  presence_penalty: number(-2, 2),
  frequency_penalty: number(-2, 2),
  repeat_penalty: number(0, 2),
  repeat_last_n: integer(0, 4096),
  stream: boolean,
  logit_bias: map(number(-100, 100), 300),
}

const streamOptions = fields({ include_usage: boolean })

const imageUrl = withImages({ image_url: required(fields({ url: required(longText), detail: text(16) })) })

const chatPart = variant('type', {
  text: { type: text(16), text: required(longText) },
  image_url: imageUrl,
  input_audio: refused('the model takes no audio'),
  input_video: refused('the model takes no video'),
  video_url: refused('the model takes no video'),
  file: refused('the model takes no files: send their text'),
})
const chatContent = either([longText, list(chatPart, maxParts), nothing])

const toolCall = fields({
  id: identifier,
  type: oneOf(['function']),
  function: required(
    fields({ name: required(text(256)), arguments: either([longText, map(anything, 1000)]) }),
  ),
})

const chatMessage = variant('role', {
  system: { role: text(16), content: chatContent, name: text(256) },
  developer: { role: text(16), content: chatContent, name: text(256) },
  user: { role: text(16), content: chatContent, name: text(256) },
  assistant: {
    role: text(16),
    content: chatContent,
    name: text(256),
    tool_calls: list(toolCall, 256),
    reasoning_content: longText,
  },
  tool: { role: text(16), content: chatContent, name: text(256), tool_call_id: identifier },
  function: { role: text(16), content: chatContent, name: text(256) },
})

const chatTool = variant(
  'type',
  {
    function: {
      type: text(16),
      function: required(
        fields({
          name: required(text(256)),
          description: longText,
          parameters: schema,
          strict: boolean,
        }),
      ),
    },
    custom: leftOut,
  },
  'function',
)

const toolChoice = either([
  oneOf(['auto', 'none', 'required']),
  fields({ type: text(32), function: fields({ name: text(256) }) }),
])

const responseFormat = variant('type', {
  text: { type: text(16) },
  json_object: { type: text(16), schema: schema },
  json_schema: {
    type: text(16),
    json_schema: required(
      fields({ name: text(256), description: longText, strict: boolean, schema: schema }),
    ),
  },
})

const templateArguments = map(either([boolean, text(256), number(-1e9, 1e9)]), 16)
const effort = oneOf(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])

const chatPrompt: Fields = {
  messages: required(list(chatMessage, maxMessages)),
  tools: list(chatTool, maxTools),
  tool_choice: toolChoice,
  parallel_tool_calls: boolean,
  response_format: responseFormat,
  json_schema: schema,
  reasoning_effort: effort,
  chat_template_kwargs: templateArguments,
  add_generation_prompt: boolean,
}

export const chat: Fields = Object.assign({}, chatPrompt, sampling, {
  max_tokens: tokens,
  max_completion_tokens: tokens,
  n_predict: tokens,
  n: integer(1, 1),
  stop: stop,
  logprobs: boolean,
  top_logprobs: integer(0, 20),
  stream_options: streamOptions,
  timings_per_token: boolean,
  return_progress: boolean,
  cache_prompt: boolean,
})

export const chatTokens: Fields = chatPrompt
export const applyTemplate: Fields = chatPrompt

const prompt = either([longText, list(either([integer(0, most), longText]), 2 ** 20)])

export const completions: Fields = Object.assign({}, sampling, {
  prompt: required(prompt),
  max_tokens: tokens,
  n_predict: tokens,
  n: integer(1, 1),
  stop: stop,
  logprobs: integer(0, 20),
  n_probs: integer(0, 20),
  echo: boolean,
  stream_options: streamOptions,
  cache_prompt: boolean,
  json_schema: schema,
  timings_per_token: boolean,
  t_max_predict_ms: integer(0, most),
})

export const infill: Fields = Object.assign({}, sampling, {
  input_prefix: required(longText),
  input_suffix: required(longText),
  input_extra: list(fields({ text: required(longText), filename: text(4096) }), 1000),
  prompt: longText,
  n_predict: tokens,
  max_tokens: tokens,
  n_indent: integer(0, 1000),
  stop: stop,
  cache_prompt: boolean,
  samplers: list(text(32), 16),
  t_max_prompt_ms: integer(0, most),
  t_max_predict_ms: integer(0, most),
  response_fields: list(text(256), 64),
})

const inputPart = variant('type', {
  input_text: { type: text(16), text: required(longText) },
  output_text: { type: text(16), text: required(longText) },
  refusal: { type: text(16), refusal: required(longText) },
  input_image: withImages({ type: text(16), image_url: required(longText), detail: text(16) }),
  input_file: refused('the model takes no files: send their text'),
  input_audio: refused('the model takes no audio'),
})

const inputItem = variant(
  'type',
  {
    message: {
      type: text(16),
      role: required(oneOf(['system', 'developer', 'user', 'assistant'])),
      content: required(either([longText, list(inputPart, maxParts)])),
      status: text(32),
    },
    function_call: {
      type: text(32),
      call_id: required(identifier),
      name: required(text(256)),
      arguments: required(longText),
    },
    function_call_output: {
      type: text(32),
      call_id: required(identifier),
      output: required(either([longText, list(inputPart, maxParts)])),
    },
    reasoning: {
      type: text(16),
      summary: required(list(fields({ type: text(32), text: longText }), maxParts)),
      content: list(fields({ type: text(32), text: longText }), maxParts),
    },
  },
  'message',
)

const responsesTool = variant('type', {
  function: {
    type: text(16),
    name: required(text(256)),
    description: longText,
    parameters: schema,
    strict: boolean,
  },
  namespace: leftOut,
  web_search: leftOut,
  custom: leftOut,
})

const responsesPrompt: Fields = {
  input: required(either([longText, list(inputItem, maxMessages)])),
  instructions: longText,
  tools: list(responsesTool, maxTools),
  tool_choice: either([oneOf(['auto', 'none', 'required']), fields({ type: text(32), name: text(256) })]),
  parallel_tool_calls: boolean,
  reasoning: fields({ effort: effort }),
}

export const responses: Fields = Object.assign({}, responsesPrompt, {
  max_output_tokens: tokens,
  temperature: number(0, 2),
  top_p: number(0, 1),
  stream: boolean,
})
export const responsesTokens: Fields = responsesPrompt

const image = withImages({
  type: text(16),
  source: required(
    variant('type', {
      base64: { type: text(16), media_type: required(text(64)), data: required(longText) },
      url: refused('images are taken as base64 only'),
    }),
  ),
})
const document = refused('the model takes no documents: send their text')

const resultPart = variant('type', {
  text: { type: text(16), text: required(longText) },
  image: image,
  document: document,
})

const messagesPart = variant('type', {
  text: { type: text(16), text: required(longText) },
  image: image,
  document: document,
  thinking: { type: text(16), thinking: required(longText), signature: longText },
  redacted_thinking: leftOut,
  tool_use: {
    type: text(16),
    id: required(identifier),
    name: required(text(256)),
    input: required(map(anything, 1000)),
  },
  tool_result: {
    type: text(16),
    tool_use_id: required(identifier),
    content: either([longText, list(resultPart, maxParts)]),
    is_error: boolean,
  },
})

const messagesMessage = fields({
  role: required(oneOf(['user', 'assistant', 'system'])),
  content: required(either([longText, list(messagesPart, maxParts)])),
})

const messagesTool = variant(
  'type',
  {
    custom: { name: required(text(256)), description: longText, input_schema: required(schema) },
  },
  'custom',
)

const messagesPrompt: Fields = {
  system: either([longText, list(fields({ type: text(16), text: required(longText) }), maxParts)]),
  messages: required(list(messagesMessage, maxMessages)),
  tools: list(messagesTool, maxTools),
  tool_choice: fields({ type: required(oneOf(['auto', 'any', 'tool', 'none'])), name: text(256) }),
  thinking: fields({ type: required(text(32)), budget_tokens: integer(0, most) }),
}

export const messages: Fields = Object.assign({}, messagesPrompt, {
  max_tokens: integer(0, most),
  stop_sequences: list(text(256), 16),
  temperature: number(0, 2),
  top_p: number(0, 1),
  top_k: integer(0, 1000),
  stream: boolean,
})
export const messagesTokens: Fields = messagesPrompt

export const tokenize: Fields = {
  content: required(longText),
  add_special: boolean,
  parse_special: boolean,
  with_pieces: boolean,
}
export const detokenize: Fields = { tokens: required(list(integer(0, most), 2 ** 20)) }
