/** Errors in the shape of the client's API, which clients show. */
import { type Api, routes } from '../appliance/api.ts'

type Kind = { openai: string; anthropic: string }
const kinds: Record<number, Kind> = {
  400: { openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  401: { openai: 'invalid_request_error', anthropic: 'authentication_error' },
  403: { openai: 'invalid_request_error', anthropic: 'permission_error' },
  404: { openai: 'invalid_request_error', anthropic: 'not_found_error' },
  413: { openai: 'invalid_request_error', anthropic: 'request_too_large' },
  415: { openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  429: { openai: 'rate_limit_error', anthropic: 'rate_limit_error' },
  503: { openai: 'server_error', anthropic: 'overloaded_error' },
}
const clientError: Kind = { openai: 'invalid_request_error', anthropic: 'invalid_request_error' }
const serverError: Kind = { openai: 'server_error', anthropic: 'api_error' }

/** Whose shape the errors of a path have. */
export const apiOf = (path: string): Api =>
  path === '/v1/messages' || path.slice(0, 13) === '/v1/messages/' ? 'anthropic' : 'openai'

/** An error's body; `param` names the field and `code` the reason, which only OpenAI's shape has room for. */
export function errorBody(api: Api, status: number, message: string, code?: string, param?: string): object {
  const kind = (kinds[status] ?? (status < 500 ? clientError : serverError))[api]
  if (api === 'anthropic') return { type: 'error', error: { type: kind, message: message } }
  return { error: { message: message, type: kind, param: param ?? null, code: code ?? null } }
}

export const postRoute = (path: string) =>
  routes.filter(route => route.path === path && route.method === 'POST')[0]
