/** On a router: which copilot a request is for. Pure; runs inside nginx. */
import { parseBody } from './body.ts'
import { apiOf, errorBody, postRoute } from './errors.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import { matches } from './patterns.ts'
import { hasGap } from './services.ts'

/** `service`: empty for chat. */
type Routing = { session: string; model: string; service: string }
export type Routed = Routing | { status: number; error: object }

/** Headers in which clients name their conversation: opencode, Claude Code, Codex, others. nginx drops names with `_`. */
const sessionHeaders = ['x-session-affinity', 'x-claude-code-session-id', 'session-id', 'x-session-id']

/** A header's value, as far as it may be passed on in one. */
const sessionName = /^[\x21-\x7e]{1,200}$/

const textAt = (value: Json | undefined): string =>
  typeof value === 'string' && matches(value, sessionName) ? value : ''

/** What names a conversation in a body: OpenAI's `prompt_cache_key`, Anthropic's `metadata.user_id`. */
function sessionIn(request: JsonObject): string {
  const metadata = request.at.metadata
  return textAt(request.at.prompt_cache_key) || (isObject(metadata) ? textAt(metadata.at.user_id) : '')
}

/**
 * The conversation that a request belongs to, if its client says so, otherwise its tenant; the model that it names, and the
 * service that it is for. Conversations of different tenants are never the same one. The rest of the request is the copilot's to check.
 */
export function routingOf(
  path: string,
  text: string | undefined,
  headers: Record<string, string | undefined>,
  tenant: string,
): Routed {
  const route = postRoute(path)
  if (route === undefined) return { status: 404, error: errorBody(apiOf(path), 404, 'Unknown path.') }
  const parsed = parseBody(text)
  if (!('value' in parsed))
    return { status: 400, error: errorBody(apiOf(path), 400, parsed.message, parsed.code) }
  const request = isObject(parsed.value) ? parsed.value : undefined
  const named = sessionHeaders.map(name => textAt(headers[name])).filter(value => value !== '')[0]
  const session = named ?? (request === undefined ? '' : sessionIn(request))
  return {
    session: session === '' ? tenant : `${tenant} ${session}`,
    model: request === undefined ? '' : textAt(request.at.model),
    service: route.service ?? (request !== undefined && hasGap(path, request) ? 'completion' : ''),
  }
}
