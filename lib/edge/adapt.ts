/** What llama-server would overlook, in the words that it reads: a certain tool to call, the form of an answer. */
import type { Problem } from './check.ts'
import { isList, isObject, type Json, type JsonObject, object, put, remove } from './json.ts'
import { shown } from './words.ts'

const inner = (value: Json | undefined, key: string): Json | undefined =>
  isObject(value) ? value.at[key] : undefined

/** A tool's name, or that of the one to be called: in chats it stands one level down. */
const nameIn = (value: Json | undefined): Json | undefined =>
  inner(value, 'name') ?? inner(inner(value, 'function'), 'name')

/** llama-server knows that a tool must be called, not which: that is the only one then. Anthropic's `none` it does not know. */
function adaptToolChoice(request: JsonObject): Problem | undefined {
  const choice = request.at.tool_choice
  const name = nameIn(choice)
  if (inner(choice, 'type') === 'none') remove(request, 'tools', 'tool_choice')
  if (inner(choice, 'type') !== 'function' && inner(choice, 'type') !== 'tool') return undefined
  const tools = isList(request.at.tools) ? request.at.tools.filter(tool => nameIn(tool) === name) : []
  if (tools.length === 0) {
    return {
      field: 'tool_choice',
      message: `tool_choice: got ${shown(name)}; takes the name of one of the tools`,
    }
  }
  put(request, 'tools', tools)
  if (inner(choice, 'type') === 'function') put(request, 'tool_choice', 'required')
  return undefined
}

/** The form of an answer, as chats name it. With tools it would forbid their calls. */
function adaptTextFormat(request: JsonObject): void {
  const format = inner(request.at.text, 'format')
  const hasTools = isList(request.at.tools) && request.at.tools.length > 0
  remove(request, 'text')
  if (!isObject(format) || hasTools) return
  const asInChats = object()
  put(asInChats, 'type', format.at.type as Json)
  put(asInChats, 'json_schema', format)
  put(request, 'response_format', asInChats)
}

/** Where a grammar asks for the end of an answer, and `ignore_eos` forbids it, llama-server fails. */
function adaptEnd(request: JsonObject): void {
  const tools = request.at.tools
  const hasTools = isList(tools) && tools.length > 0
  if (hasTools || request.at.response_format !== undefined || request.at.json_schema !== undefined) {
    remove(request, 'ignore_eos')
  }
}

export function adapt(request: JsonObject): Problem | undefined {
  if (isObject(request.at.text)) adaptTextFormat(request)
  adaptEnd(request)
  return adaptToolChoice(request)
}
