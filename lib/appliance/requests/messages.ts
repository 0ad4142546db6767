/** What `/v1/messages` takes, and what only counts its prompt. */
import { mostMessages, mostParts, mostTools, templateVariables } from './chat.ts'
import {
  anything,
  boolean,
  either,
  type Fields,
  fields,
  forImages,
  having,
  integer,
  leftOut,
  list,
  longText,
  map,
  number,
  oneOf,
  refused,
  required,
  schema,
  text,
  variant,
  variantOr,
} from './rules.ts'
import { functionName, identifier, largest, stop } from './sampling.ts'

const type = text(64)
const said = having({ type: type, text: required(longText) })
const noDocuments = refused('the model takes no documents: send their text')

const picture = forImages({
  type: type,
  source: required(
    variant('type', {
      base64: having({
        type: type,
        media_type: required(oneOf(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])),
        data: required(longText),
      }),
      url: refused('there is no network here to fetch it by: send base64'),
      file: refused('nothing is stored here: send base64'),
    }),
  ),
})

const resultPart = variant('type', {
  text: said,
  image: picture,
  document: noDocuments,
  search_result: noDocuments,
  tool_reference: leftOut,
})

const part = variant('type', {
  text: said,
  image: picture,
  document: noDocuments,
  search_result: noDocuments,
  container_upload: noDocuments,
  thinking: having({ type: type, thinking: required(longText), signature: longText }),
  redacted_thinking: leftOut,
  tool_use: having({
    type: type,
    id: required(identifier),
    name: required(functionName),
    input: required(map(anything, 1000)),
  }),
  tool_result: having({
    type: type,
    tool_use_id: required(identifier),
    content: either([longText, list(resultPart, mostParts)]),
    is_error: boolean,
  }),
  // Of conversations that began elsewhere: what Anthropic's own tools did.
  server_tool_use: leftOut,
  '*_tool_result': leftOut,
})

const message = fields({
  // Claude Code sends what the system says in between.
  role: required(oneOf(['user', 'assistant', 'system'])),
  content: required(either([longText, list(part, mostParts)])),
})

/** Anthropic's own tools are named by type and date, and have no schema: the model could not call them right. */
const tool = variantOr('custom', 'type', {
  custom: having({
    name: required(functionName),
    description: longText,
    input_schema: required(schema),
  }),
  'advisor_*': leftOut,
  'bash_*': leftOut,
  'code_execution_*': leftOut,
  'computer_*': leftOut,
  'memory_*': leftOut,
  mcp_toolset: leftOut,
  'text_editor_*': leftOut,
  'tool_search_tool_*': leftOut,
  'web_fetch_*': leftOut,
  'web_search_*': leftOut,
})

export const messagesPrompt: Fields = {
  system: either([longText, list(variant('type', { text: said }), mostParts)]),
  messages: required(list(message, mostMessages)),
  tools: list(tool, mostTools),
  tool_choice: fields({ type: required(oneOf(['auto', 'any', 'tool', 'none'])), name: functionName }),
  thinking: fields({
    type: required(oneOf(['enabled', 'disabled', 'adaptive'])),
    budget_tokens: integer(0, largest),
  }),
  chat_template_kwargs: templateVariables,
}

export const messages: Fields = Object.assign({}, messagesPrompt, {
  max_tokens: integer(0, largest),
  stop_sequences: stop,
  temperature: number(0, 2),
  top_p: number(0, 1),
  top_k: integer(-1, 1_000_000),
  stream: boolean,
})
