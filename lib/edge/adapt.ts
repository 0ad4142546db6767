/** Translates fields that llama-server would ignore into ones that it knows: tool choice, answer format, thinking. */
import type { FieldProblem } from './check.ts'
import { isList, isObject, type Json, type JsonObject, object, put, remove } from './json.ts'
import { describeValue } from './messages.ts'

const inner = (value: Json | undefined, key: string): Json | undefined =>
  isObject(value) ? value.at[key] : undefined

/** The name in a tool or a tool choice: chats have it one level down. */
const nameIn = (value: Json | undefined): Json | undefined =>
  inner(value, 'name') ?? inner(inner(value, 'function'), 'name')

/**
 * llama-server can require a tool call, but not of a given tool, so only that tool is passed on. It does not
 * know Anthropic's `none`.
 */
function adaptToolChoice(request: JsonObject): FieldProblem | undefined {
  const choice = request.at.tool_choice
  const name = nameIn(choice)
  if (inner(choice, 'type') === 'none') remove(request, 'tools', 'tool_choice')
  if (inner(choice, 'type') !== 'function' && inner(choice, 'type') !== 'tool') return undefined
  const tools = isList(request.at.tools) ? request.at.tools.filter(tool => nameIn(tool) === name) : []
  if (tools.length === 0) {
    return {
      field: 'tool_choice',
      message: `tool_choice: expected the name of one of the tools, got ${describeValue(name)}`,
    }
  }
  put(request, 'tools', tools)
  if (inner(choice, 'type') === 'function') put(request, 'tool_choice', 'required')
  return undefined
}

/** Turns `text.format` into a chat's `response_format`; not with tools: its grammar would forbid calls. */
function adaptTextFormat(request: JsonObject): void {
  const format = inner(request.at.text, 'format')
  const hasTools = isList(request.at.tools) && request.at.tools.length > 0
  remove(request, 'text')
  if (!isObject(format) || hasTools) return
  const responseFormat = object()
  put(responseFormat, 'type', format.at.type as Json)
  put(responseFormat, 'json_schema', format)
  put(request, 'response_format', responseFormat)
}

/** llama-server ignores Anthropic's `disabled`; a chat template's argument means the same. */
function adaptThinking(request: JsonObject): void {
  if (inner(request.at.thinking, 'type') !== 'disabled') return
  const given = request.at.chat_template_kwargs
  const variables = isObject(given) ? given : object()
  put(variables, 'enable_thinking', false)
  put(request, 'chat_template_kwargs', variables)
}

/** llama-server fails if a grammar requires the end of an answer and `ignore_eos` forbids it. */
function adaptEnd(request: JsonObject): void {
  const tools = request.at.tools
  const hasTools = isList(tools) && tools.length > 0
  if (hasTools || request.at.response_format !== undefined || request.at.json_schema !== undefined) {
    remove(request, 'ignore_eos')
  }
}

/** Tokens among which the sampler `infill` chooses. The default is llama-server's for other requests. */
const defaultTopK = 40
const maxTopK = 100

/**
 * The sampler `infill` compares each token with each other one: left with a whole vocabulary, it keeps llama-server, and
 * everyone's answers, waiting for minutes at each token. So it gets the likeliest ones only, as its clients ask for.
 */
function adaptSamplers(request: JsonObject): void {
  const samplers = request.at.samplers
  const place = isList(samplers) ? samplers.indexOf('infill') : -1
  if (!isList(samplers) || place === -1) return
  if (samplers.slice(0, place).indexOf('top_k') === -1)
    put(request, 'samplers', ['top_k' as Json].concat(samplers))
  const given = Number(request.at.top_k ?? 0)
  put(request, 'top_k', given > 0 ? Math.min(given, maxTopK) : defaultTopK)
}

/** How Claude Code's first block begins, and the part of it that differs in each request, as llama-server expects it. */
const billing = /^x-anthropic-billing-header:[\s\S]*?cch=/
const expectedCode = /^[\s\S]{5};/

/** Replaces a code of another length: llama-server would not recognise it, and would log it with the instructions after it. */
function withExpectedCode(text: string): string {
  const start = billing.exec(text)
  if (start === null) return text
  const rest = text.slice(start[0].length)
  return expectedCode.test(rest) ? text : `${start[0]}fffff;${rest.replace(/^[^;\s]*;?/, '')}`
}

function adaptBilling(request: JsonObject): void {
  const system = request.at.system
  if (typeof system === 'string') put(request, 'system', withExpectedCode(system))
  if (!isList(system)) return
  system.forEach(block => {
    const text = inner(block, 'text')
    if (isObject(block) && typeof text === 'string') put(block, 'text', withExpectedCode(text))
  })
}

/** Changes the request; returns what is wrong if it cannot be translated. */
export function adapt(request: JsonObject): FieldProblem | undefined {
  if (isObject(request.at.text)) adaptTextFormat(request)
  adaptEnd(request)
  adaptThinking(request)
  adaptSamplers(request)
  adaptBilling(request)
  return adaptToolChoice(request)
}
