/** The fields of `/v1/responses`, and of the path that only counts its prompt. */
import { maxMessages, maxParts, maxTools, noAudio, noFiles, templateVariables } from './chat.ts'
import {
  accepted,
  acceptedWithImages,
  boolean,
  callArguments,
  dropped,
  droppedWithout,
  either,
  type Fields,
  fields,
  image,
  list,
  longText,
  number,
  oneOf,
  required,
  schema,
  text,
  typeName,
  unsupported,
  unsupportedField,
  variant,
  variantWithDefault,
} from './rules.ts'
import { answerLength, effort, functionName, identifier } from './sampling.ts'

const part = () =>
  variant('type', {
    input_text: accepted({ type: typeName, text: required(longText) }),
    output_text: accepted({ type: typeName, text: required(longText) }),
    input_image: acceptedWithImages({ type: typeName, image_url: required(image), detail: text(16) }),
    input_file: unsupported(noFiles),
    input_audio: unsupported(noAudio),
  })
const parts = () => either([longText, list(part(), maxParts)])

const summary = () => list(fields({ type: typeName, text: required(longText) }), maxParts)

const item = () =>
  variantWithDefault('message', 'type', {
    message: accepted({
      type: typeName,
      role: required(oneOf(['system', 'developer', 'user', 'assistant'])),
      content: required(parts()),
    }),
    function_call: accepted({
      type: typeName,
      call_id: required(identifier),
      name: required(functionName),
      arguments: required(callArguments),
    }),
    function_call_output: accepted({
      type: typeName,
      call_id: required(identifier),
      output: required(parts()),
    }),
    // Without its text it is useless to the model, and an error to llama-server.
    reasoning: droppedWithout('content', {
      type: typeName,
      summary: required(summary()),
      content: summary(),
    }),
    item_reference: unsupported('nothing is stored on the server; send the items themselves'),
  })

/** Like llama-server, the filter ignores tools other than functions; Codex always lists some. */
const tool = () =>
  variant('type', {
    function: accepted({
      type: typeName,
      name: required(functionName),
      description: longText,
      parameters: schema,
      strict: boolean,
    }),
    apply_patch: dropped,
    code_interpreter: dropped,
    'computer*': dropped,
    custom: dropped,
    file_search: dropped,
    image_generation: dropped,
    local_shell: dropped,
    mcp: dropped,
    namespace: dropped,
    shell: dropped,
    tool_search: dropped,
    'web_search*': dropped,
  })

const toolChoice = () =>
  either([
    oneOf(['auto', 'none', 'required']),
    variant('type', {
      function: accepted({ type: typeName, name: required(functionName) }),
      '*': dropped,
    }),
  ])

/** Like a chat's `response_format`. */
const textFormat = () =>
  variant('type', {
    text: accepted({ type: typeName }),
    json_object: accepted({ type: typeName }),
    json_schema: accepted({
      type: typeName,
      name: text(256),
      description: longText,
      strict: boolean,
      schema: required(schema),
    }),
  })

const notStored = unsupportedField('nothing is stored on the server; send the whole conversation')

export const responsesPrompt = (): Fields => ({
  input: required(either([longText, list(item(), maxMessages)])),
  instructions: longText,
  tools: list(tool(), maxTools),
  tool_choice: toolChoice(),
  parallel_tool_calls: boolean,
  reasoning: fields({ effort: effort }),
  text: fields({ format: textFormat() }),
  chat_template_kwargs: templateVariables(),
  previous_response_id: notStored,
  conversation: notStored,
  prompt: notStored,
})

export const responses = (): Fields =>
  Object.assign({}, responsesPrompt(), {
    max_output_tokens: answerLength,
    temperature: number(0, 2),
    top_p: number(0, 1),
    stream: boolean,
  })
