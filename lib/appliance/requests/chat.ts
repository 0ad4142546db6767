/** The fields of `/v1/chat/completions`, and of the paths that only render or count its prompt. */
import {
  accepted,
  acceptedWithImages,
  anything,
  boolean,
  callArguments,
  dropped,
  either,
  type Fields,
  fields,
  image,
  list,
  longText,
  map,
  nothing,
  oneOf,
  only,
  type Rule,
  required,
  schema,
  text,
  typeName,
  unsupported,
  unsupportedField,
  type Variant,
  variant,
  variantWithDefault,
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

/** Chat templates take quadratic time: for each message they iterate over all earlier ones. */
export const maxMessages = 2000
export const maxParts = 2000
export const maxTools = 512
export const noAudio = 'the model does not accept audio'
export const noFiles = 'the model does not accept files; send their text'

const part = () =>
  variant('type', {
    text: accepted({ type: typeName, text: required(longText) }),
    image_url: acceptedWithImages({
      type: typeName,
      image_url: required(fields({ url: required(image), detail: text(16) })),
    }),
    input_audio: unsupported(noAudio),
    input_video: unsupported('the model does not accept video'),
    video_url: unsupported('the model does not accept video'),
    file: unsupported(noFiles),
  })

const toolCall = () =>
  variantWithDefault('function', 'type', {
    function: accepted({
      id: identifier,
      type: typeName,
      function: required(
        fields({
          name: required(functionName),
          arguments: required(either([callArguments, map(anything, 1000)])),
        }),
      ),
    }),
    custom: unsupported('the model can call functions only'),
  })

const messageOf = (content: Rule, plain: Variant) =>
  variant('role', {
    system: plain,
    developer: plain,
    user: plain,
    assistant: accepted({
      role: typeName,
      content: content,
      name: functionName,
      reasoning_content: longText,
      // Each call is searched for in each of the results that follow.
      tool_calls: list(toolCall(), 128),
    }),
    tool: accepted({
      role: typeName,
      content: required(content),
      name: functionName,
      tool_call_id: identifier,
    }),
  })

function message(): Rule {
  const content = either([longText, list(part(), maxParts), nothing])
  return messageOf(content, accepted({ role: typeName, content: required(content), name: functionName }))
}

const tool = () =>
  variantWithDefault('function', 'type', {
    function: accepted({
      type: typeName,
      function: required(
        fields({
          name: required(functionName),
          description: longText,
          parameters: schema,
          strict: boolean,
        }),
      ),
    }),
    custom: unsupported('the model can call functions only'),
  })

const toolChoice = () =>
  either([
    oneOf(['auto', 'none', 'required']),
    variant('type', {
      function: accepted({ type: typeName, function: required(fields({ name: required(functionName) })) }),
      allowed_tools: dropped,
      custom: unsupported('the model can call functions only'),
    }),
  ])

const responseFormat = () =>
  variant('type', {
    text: accepted({ type: typeName }),
    json_object: accepted({ type: typeName, schema: schema }),
    json_schema: accepted({
      type: typeName,
      json_schema: required(
        fields({ name: text(256), description: longText, strict: boolean, schema: schema }),
      ),
    }),
    grammar: unsupported('send a JSON schema instead of a grammar'),
  })

/** The chat template variables that a request may set. */
export const templateVariables = () =>
  fields({
    enable_thinking: boolean,
    preserve_thinking: boolean,
    thinking: boolean,
    reasoning_effort: effort,
  })

/** The fields that determine the prompt and the format of the answer. */
export const chatPrompt = (): Fields => ({
  messages: required(list(message(), maxMessages)),
  tools: list(tool(), maxTools),
  tool_choice: toolChoice(),
  parallel_tool_calls: boolean,
  response_format: responseFormat(),
  json_schema: schema,
  reasoning_effort: effort,
  chat_template_kwargs: templateVariables(),
  functions: unsupportedField('send `tools` instead'),
  function_call: unsupportedField('send `tool_choice` instead'),
})

export const chat = (): Fields =>
  Object.assign({}, chatPrompt(), sampling(), {
    max_tokens: answerLength,
    max_completion_tokens: answerLength,
    n_predict: answerLength,
    // Each further answer would take a slot.
    n: only(1),
    stop: stop,
    logprobs: boolean,
    top_logprobs: topTokens,
    stream_options: streamOptions,
    return_progress: returnProgress,
  })
