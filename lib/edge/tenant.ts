/** Separates tenants' cached prompts: a secret mark, derived from the tenant's key, begins every prompt. */
import { hasOwn, isList, isObject, type Json, type JsonObject, object, put } from './json.ts'

/**
 * llama-server reuses what it has computed for whoever sends the same first tokens, and says how many they were. A
 * prompt that begins with its tenant's mark has nothing in common with another tenant's but what stands before it: the
 * template's own first tokens. Words around it, since a model reads it too.
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

/** Content with a mark before it: before parts it is a part of its own, of the type that its API has for text. */
function marked(content: Json | undefined, mark: string, partType: string): Json {
  if (typeof content === 'string') return content === '' ? mark : `${mark}\n\n${content}`
  if (isList(content) && content.length > 0)
    return [textPart(partType, `${mark}\n\n`) as Json].concat(content)
  return mark
}

/** Templates put the first instruction before all else, tools included: so it goes there, or is one of its own. */
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

/** Whether there are no instructions in a field of their own, but at the head of the messages. */
const areInMessages = (request: JsonObject, field: string, messages: string): boolean => {
  const given = request.at[messages]
  return request.at[field] === undefined && isList(given) && isInstruction(given[0])
}

const isText = (value: Json) => typeof value === 'string'

/** A raw prompt: text, tokens and texts mixed, or, where it is nothing but texts, as many prompts. */
function markPrompt(prompt: Json | undefined, mark: string): Json {
  if (typeof prompt === 'string') return `${mark}\n${prompt}`
  const given = isList(prompt) ? prompt : []
  if (given.length > 0 && given.every(isText)) return given.map(each => `${mark}\n${each}`)
  return [`${mark}\n` as Json].concat(given)
}

type Marking = (request: JsonObject, mark: string) => void

const chat: Marking = (request, mark) =>
  put(request, 'messages', markMessages(request.at.messages, mark, 'text'))

function messages(request: JsonObject, mark: string): void {
  if (areInMessages(request, 'system', 'messages')) {
    chat(request, mark)
    return
  }
  const system = request.at.system
  // llama-server knows Claude Code's first block by how it begins, so the mark is a block before it.
  const blocks = typeof system === 'string' && system !== '' ? [textPart('text', system) as Json] : system
  put(request, 'system', marked(blocks, mark, 'text'))
}

function responses(request: JsonObject, mark: string): void {
  if (areInMessages(request, 'instructions', 'input'))
    put(request, 'input', markMessages(request.at.input, mark, 'input_text'))
  else put(request, 'instructions', marked(request.at.instructions, mark, 'input_text'))
}

const markings: Record<string, Marking> = {
  '/v1/chat/completions': chat,
  '/v1/chat/completions/input_tokens': chat,
  '/v1/messages': messages,
  '/v1/messages/count_tokens': messages,
  '/v1/responses': responses,
  '/v1/responses/input_tokens': responses,
  '/v1/completions': (request, mark) => put(request, 'prompt', markPrompt(request.at.prompt, mark)),
  // llama-server cuts the start of what it makes of these fields, where a mark would stand: nothing of it is reused.
  '/infill': request => put(request, 'cache_prompt', false),
}

/** The paths whose requests are marked: all that leave a prompt in a slot, and those that count its tokens. */
export const markedPaths = Object.keys(markings)

/** Marks a request as its tenant's; without a salt, and on paths that compute nothing, it stays as it is. */
export function markTenant(path: string, request: JsonObject, salt: string | undefined): void {
  if (salt === undefined || salt === '' || !hasOwn(markings, path)) return
  ;(markings[path] as Marking)(request, markOf(salt))
}
