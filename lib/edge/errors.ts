/** Errors in the format of the client's API, so that clients display them. */
import { type Api, type Route, routes } from '../appliance/requests/api.ts'

type ErrorTypes = Record<Api, string>
const types: Record<number, ErrorTypes> = {
  401: { openai: 'invalid_request_error', anthropic: 'authentication_error' },
  403: { openai: 'invalid_request_error', anthropic: 'permission_error' },
  404: { openai: 'invalid_request_error', anthropic: 'not_found_error' },
  413: { openai: 'invalid_request_error', anthropic: 'request_too_large' },
  429: { openai: 'rate_limit_error', anthropic: 'rate_limit_error' },
  503: { openai: 'server_error', anthropic: 'overloaded_error' },
}
const clientError: ErrorTypes = { openai: 'invalid_request_error', anthropic: 'invalid_request_error' }
const serverError: ErrorTypes = { openai: 'server_error', anthropic: 'api_error' }

/** The API that decides the shape of a path's errors. */
export const apiOf = (path: string): Api =>
  path === '/v1/messages' || path.slice(0, 13) === '/v1/messages/' ? 'anthropic' : 'openai'

/** The POST route of a path; undefined if there is none. */
export const postRoute = (path: string): Route | undefined =>
  routes.filter(route => route.path === path && route.method === 'POST')[0]

/** The body of an error. Only OpenAI's shape has code and field. */
export function errorBody(api: Api, status: number, message: string, code?: string, field?: string): object {
  const type = (types[status] ?? (status < 500 ? clientError : serverError))[api]
  return api === 'anthropic'
    ? { type: 'error', error: { type: type, message: message } }
    : { error: { message: message, type: type, param: field ?? null, code: code ?? null } }
}
