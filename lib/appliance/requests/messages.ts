/** The fields of `/v1/messages`, and of the path that only counts its prompt. */
import { maxMessages, maxParts, maxTools, templateVariables } from './chat.ts'
import {
  accepted,
  acceptedWithImages,
  anything,
  boolean,
  dropped,
  either,
  type Fields,
  fields,
  integer,
  list,
  longText,
  map,
  number,
  oneOf,
  required,
  schema,
  typeName,
  unsupported,
  variant,
  variantWithDefault,
} from './rules.ts'
import { functionName, identifier, largest, stop } from './sampling.ts'

const textBlock = () => accepted({ type: typeName, text: required(longText) })
const noDocuments = unsupported('the model does not accept documents; send their text')

const imageBlock = () =>
  acceptedWithImages({
    type: typeName,
    source: required(
      variant('type', {
        base64: accepted({
          type: typeName,
          media_type: required(oneOf(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])),
          data: required(longText),
        }),
        url: unsupported('the server has no network to fetch it; send Base64'),
        file: unsupported('nothing is stored on the server; send Base64'),
      }),
    ),
  })

const resultPart = () =>
  variant('type', {
    text: textBlock(),
    image: imageBlock(),
    document: noDocuments,
    search_result: noDocuments,
    tool_reference: dropped,
  })

const part = () =>
  variant('type', {
    text: textBlock(),
    image: imageBlock(),
    document: noDocuments,
    search_result: noDocuments,
    container_upload: noDocuments,
    thinking: accepted({ type: typeName, thinking: required(longText), signature: longText }),
    redacted_thinking: dropped,
    tool_use: accepted({
      type: typeName,
      id: required(identifier),
      name: required(functionName),
      input: required(map(anything, 1000)),
    }),
    tool_result: accepted({
      type: typeName,
      tool_use_id: required(identifier),
      content: either([longText, list(resultPart(), maxParts)]),
      is_error: boolean,
    }),
    // Calls of Anthropic's server tools, in conversations that began with another server.
    server_tool_use: dropped,
    '*_tool_result': dropped,
  })

const message = () =>
  fields({
    // Claude Code sends system messages in the middle of a conversation.
    role: required(oneOf(['user', 'assistant', 'system'])),
    content: required(either([longText, list(part(), maxParts)])),
  })

/** Anthropic's own tools have a type and a date but no schema: other models do not know how to call them. */
const tool = () =>
  variantWithDefault('custom', 'type', {
    custom: accepted({
      name: required(functionName),
      description: longText,
      input_schema: required(schema),
    }),
    'advisor_*': dropped,
    'bash_*': dropped,
    'code_execution_*': dropped,
    'computer_*': dropped,
    'memory_*': dropped,
    mcp_toolset: dropped,
    'text_editor_*': dropped,
    'tool_search_tool_*': dropped,
    'web_fetch_*': dropped,
    'web_search_*': dropped,
  })

export const messagesPrompt = (): Fields => ({
  system: either([longText, list(variant('type', { text: textBlock() }), maxParts)]),
  messages: required(list(message(), maxMessages)),
  tools: list(tool(), maxTools),
  tool_choice: fields({ type: required(oneOf(['auto', 'any', 'tool', 'none'])), name: functionName }),
  thinking: fields({
    type: required(oneOf(['enabled', 'disabled', 'adaptive'])),
    budget_tokens: integer(0, largest),
  }),
  chat_template_kwargs: templateVariables(),
})

export const messages = (): Fields =>
  Object.assign({}, messagesPrompt(), {
    max_tokens: integer(0, largest),
    stop_sequences: stop,
    temperature: number(0, 2),
    top_p: number(0, 1),
    top_k: integer(-1, 1_000_000),
    stream: boolean,
  })
