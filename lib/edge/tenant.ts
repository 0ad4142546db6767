/** Separates tenants' cached prompts: a secret mark, derived from the tenant's key, begins every prompt. */
import type { ServiceKind } from '../appliance/requests/services.ts'
import { hasOwn, isList, isObject, type Json, type JsonObject, object, put } from './json.ts'
import { putFirstExtra } from './services.ts'

/**
 * llama-server reuses cached results for any prompt that begins with the same tokens, and reports how many. A
 * prompt that begins with its tenant's mark shares nothing with another tenant's except what precedes the
 * mark: the template's own first tokens. The salt is in a sentence, because the model reads it too.
 */
const markOf = (salt: string) => `(${salt} is a tag without meaning.)`

const textPart = (type: string, text: string): JsonObject => {
  const part = object()
  put(part, 'type', type)
  put(part, 'text', text)
  return part
}

const isInstruction = (message: Json | undefined): message is JsonObject =>
  isObject(message) && (message.at.role === 'system' || message.at.role === 'developer')

/** Content preceded by a mark: before parts, the mark is a part of its own, of the API's type for text. */
function marked(content: Json | undefined, mark: string, partType: string): Json {
  if (typeof content === 'string') return content === '' ? mark : `${mark}\n\n${content}`
  if (isList(content) && content.length > 0)
    return [textPart(partType, `${mark}\n\n`) as Json].concat(content)
  return mark
}

/** Templates put the first instruction before everything, even tools: the mark begins it, or is its own. */
function markMessages(messages: Json | undefined, mark: string, partType: string): Json[] {
  const given = isList(messages) ? messages : []
  const first = given[0]
  if (isInstruction(first)) {
    put(first, 'content', marked(first.at.content, mark, partType))
    return given
  }
  const instruction = object()
  put(instruction, 'role', 'system')
  put(instruction, 'content', mark)
  return [instruction as Json].concat(given)
}

/** Whether the instructions are the first message rather than in a field of their own. */
const areInMessages = (request: JsonObject, field: string, messages: string): boolean => {
  const given = request.at[messages]
  return request.at[field] === undefined && isList(given) && isInstruction(given[0])
}

const isText = (value: Json) => typeof value === 'string'

/** A raw prompt: a text, a mixed list of tokens and texts, or a list of texts, which are separate prompts. */
function markPrompt(prompt: Json | undefined, mark: string): Json {
  if (typeof prompt === 'string') return `${mark}\n${prompt}`
  const given = isList(prompt) ? prompt : []
  if (given.length > 0 && given.every(isText)) return given.map(each => `${mark}\n${each}`)
  return [`${mark}\n` as Json].concat(given)
}

type Marking = (request: JsonObject, mark: string, service: ServiceKind) => void

const chat: Marking = (request, mark) =>
  put(request, 'messages', markMessages(request.at.messages, mark, 'text'))

function messages(request: JsonObject, mark: string): void {
  if (areInMessages(request, 'system', 'messages')) {
    chat(request, mark, 'chat')
    return
  }
  const system = request.at.system
  // llama-server recognises Claude Code's first block by its start, so the mark is a block before it.
  const blocks = typeof system === 'string' && system !== '' ? [textPart('text', system) as Json] : system
  put(request, 'system', marked(blocks, mark, 'text'))
}

function responses(request: JsonObject, mark: string): void {
  if (areInMessages(request, 'instructions', 'input'))
    put(request, 'input', markMessages(request.at.input, mark, 'input_text'))
  else put(request, 'instructions', marked(request.at.instructions, mark, 'input_text'))
}

/**
 * The mark is the first of the further files, which come first in the prompt; what follows is short enough for it to stay.
 * In chat it may be long, and llama-server would cut off its start, and a mark with it: so none of it is reused.
 */
function infill(request: JsonObject, mark: string, service: ServiceKind): void {
  if (service === 'completion') putFirstExtra(request, 'tag', mark)
  else put(request, 'cache_prompt', false)
}

const markings: Record<string, Marking> = {
  '/v1/chat/completions': chat,
  '/v1/chat/completions/input_tokens': chat,
  '/v1/messages': messages,
  '/v1/messages/count_tokens': messages,
  '/v1/responses': responses,
  '/v1/responses/input_tokens': responses,
  '/v1/completions': (request, mark) => put(request, 'prompt', markPrompt(request.at.prompt, mark)),
  '/infill': infill,
}

/** The paths whose requests are marked: those that leave a prompt in a slot, and those that count tokens. */
export const markedPaths = Object.keys(markings)

/** Marks a request as its tenant's; unchanged without a salt, and on paths without a prompt. */
export function markTenant(
  path: string,
  request: JsonObject,
  salt: string | undefined,
  service?: ServiceKind,
): void {
  if (salt === undefined || salt === '' || !hasOwn(markings, path)) return
  ;(markings[path] as Marking)(request, markOf(salt), service ?? 'chat')
}
