/** What `/v1/responses` takes, and what only counts its prompt. */
import { mostMessages, mostParts, mostTools, noAudio, noFiles, templateVariables } from './chat.ts'
import {
  boolean,
  callArguments,
  either,
  type Fields,
  fields,
  forImages,
  having,
  image,
  leftOut,
  leftOutWithout,
  list,
  longText,
  number,
  oneOf,
  refuse,
  refused,
  required,
  schema,
  text,
  variant,
  variantOr,
} from './rules.ts'
import { answerLength, effort, functionName, identifier } from './sampling.ts'

const type = text(64)

const part = variant('type', {
  input_text: having({ type: type, text: required(longText) }),
  output_text: having({ type: type, text: required(longText) }),
  input_image: forImages({ type: type, image_url: required(image), detail: text(16) }),
  input_file: refused(noFiles),
  input_audio: refused(noAudio),
})
const parts = either([longText, list(part, mostParts)])

const summary = list(fields({ type: type, text: required(longText) }), mostParts)

const item = variantOr('message', 'type', {
  message: having({
    type: type,
    role: required(oneOf(['system', 'developer', 'user', 'assistant'])),
    content: required(parts),
  }),
  function_call: having({
    type: type,
    call_id: required(identifier),
    name: required(functionName),
    arguments: required(callArguments),
  }),
  function_call_output: having({ type: type, call_id: required(identifier), output: required(parts) }),
  // Without its text it tells the model nothing, and llama-server takes it for a mistake.
  reasoning: leftOutWithout('content', { type: type, summary: required(summary), content: summary }),
  item_reference: refused('nothing is stored here: send the items themselves'),
})

/** llama-server knows functions only, and leaves out the rest, which Codex always names; so does the filter. */
const tool = variant('type', {
  function: having({
    type: type,
    name: required(functionName),
    description: longText,
    parameters: schema,
    strict: boolean,
  }),
  apply_patch: leftOut,
  code_interpreter: leftOut,
  'computer*': leftOut,
  custom: leftOut,
  file_search: leftOut,
  image_generation: leftOut,
  local_shell: leftOut,
  mcp: leftOut,
  namespace: leftOut,
  shell: leftOut,
  tool_search: leftOut,
  'web_search*': leftOut,
})

const toolChoice = either([
  oneOf(['auto', 'none', 'required']),
  variant('type', {
    function: having({ type: type, name: required(functionName) }),
    '*': leftOut,
  }),
])

/** As `response_format` of chats. */
const textFormat = variant('type', {
  text: having({ type: type }),
  json_object: having({ type: type }),
  json_schema: having({
    type: type,
    name: text(256),
    description: longText,
    strict: boolean,
    schema: required(schema),
  }),
})

const notStored = refuse('nothing is stored here: send the whole conversation')

export const responsesPrompt: Fields = {
  input: required(either([longText, list(item, mostMessages)])),
  instructions: longText,
  tools: list(tool, mostTools),
  tool_choice: toolChoice,
  parallel_tool_calls: boolean,
  reasoning: fields({ effort: effort }),
  text: fields({ format: textFormat }),
  chat_template_kwargs: templateVariables,
  previous_response_id: notStored,
  conversation: notStored,
  prompt: notStored,
}

export const responses: Fields = Object.assign({}, responsesPrompt, {
  max_output_tokens: answerLength,
  temperature: number(0, 2),
  top_p: number(0, 1),
  stream: boolean,
})
