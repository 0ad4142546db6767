/** What `/v1/chat/completions` takes, and what only renders or counts its prompt. */
import {
  anything,
  boolean,
  callArguments,
  either,
  type Fields,
  fields,
  forImages,
  having,
  image,
  leftOut,
  list,
  longText,
  map,
  nothing,
  oneOf,
  only,
  refuse,
  refused,
  required,
  schema,
  text,
  variant,
  variantOr,
} from './rules.ts'
import {
  answerLength,
  effort,
  functionName,
  identifier,
  returnProgress,
  sampling,
  stop,
  streamOptions,
  topTokens,
} from './sampling.ts'

/** Templates go through those before for each. */
export const mostMessages = 2000
export const mostParts = 2000
export const mostTools = 512
export const noAudio = 'the model takes no audio'
export const noFiles = 'the model takes no files: send their text'

const type = text(64)

const part = variant('type', {
  text: having({ type: type, text: required(longText) }),
  image_url: forImages({
    type: type,
    image_url: required(fields({ url: required(image), detail: text(16) })),
  }),
  input_audio: refused(noAudio),
  input_video: refused('the model takes no video'),
  video_url: refused('the model takes no video'),
  file: refused(noFiles),
})
const content = either([longText, list(part, mostParts), nothing])

const toolCall = variantOr('function', 'type', {
  function: having({
    id: identifier,
    type: type,
    function: required(
      fields({
        name: required(functionName),
        arguments: required(either([callArguments, map(anything, 1000)])),
      }),
    ),
  }),
  custom: refused('the model calls functions only'),
})

const said: Fields = { role: type, content: required(content), name: functionName }
const message = variant('role', {
  system: having(said),
  developer: having(said),
  user: having(said),
  assistant: having({
    role: type,
    content: content,
    name: functionName,
    reasoning_content: longText,
    // Each is looked for in each of the results that follow.
    tool_calls: list(toolCall, 128),
  }),
  tool: having({ role: type, content: required(content), name: functionName, tool_call_id: identifier }),
})

const tool = variantOr('function', 'type', {
  function: having({
    type: type,
    function: required(
      fields({
        name: required(functionName),
        description: longText,
        parameters: schema,
        strict: boolean,
      }),
    ),
  }),
  custom: refused('the model calls functions only'),
})

const toolChoice = either([
  oneOf(['auto', 'none', 'required']),
  variant('type', {
    function: having({ type: type, function: required(fields({ name: required(functionName) })) }),
    allowed_tools: leftOut,
    custom: refused('the model calls functions only'),
  }),
])

const responseFormat = variant('type', {
  text: having({ type: type }),
  json_object: having({ type: type, schema: schema }),
  json_schema: having({
    type: type,
    json_schema: required(
      fields({ name: text(256), description: longText, strict: boolean, schema: schema }),
    ),
  }),
  grammar: refused('grammars are not taken: send a JSON schema'),
})

/** Variables of chat templates. */
export const templateVariables = fields({
  enable_thinking: boolean,
  thinking: boolean,
  reasoning_effort: effort,
})

/** Whatever the prompt and the form of the answer depend on. */
export const chatPrompt: Fields = {
  messages: required(list(message, mostMessages)),
  tools: list(tool, mostTools),
  tool_choice: toolChoice,
  parallel_tool_calls: boolean,
  response_format: responseFormat,
  json_schema: schema,
  reasoning_effort: effort,
  chat_template_kwargs: templateVariables,
  functions: refuse('send `tools`'),
  function_call: refuse('send `tool_choice`'),
}

export const chat: Fields = Object.assign({}, chatPrompt, sampling, {
  max_tokens: answerLength,
  max_completion_tokens: answerLength,
  n_predict: answerLength,
  // Each would take a slot more.
  n: only(1),
  stop: stop,
  logprobs: boolean,
  top_logprobs: topTokens,
  stream_options: streamOptions,
  return_progress: returnProgress,
})
