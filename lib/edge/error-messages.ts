/** The text of each error that the edge proxy itself reports. Pure; runs inside nginx. */
import { finalStatuses, malformedLocation, routes } from '../appliance/requests/api.ts'
import { apiOf, errorBody, postRoute } from './errors.ts'
import { type ErrorText, errorOf, type FailedRequest, type RequestLimits } from './failed-request.ts'
import { describeValue } from './messages.ts'
import { tooMany, unavailable } from './refusals.ts'

const targetPath = /^(?:[a-zA-Z]+:\/\/[^/?#]*)?([^?#]*)/

/** The path, which decides an error's shape: nginx's, or, if it rejected the request line, that line's. */
function pathOf(request: { path: string; target: string }): string {
  if (request.path !== '' && request.path !== malformedLocation) return request.path
  const written = targetPath.exec(request.target)
  return (written?.[1] ?? '').replace(/\/+/g, '/')
}

const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB (${bytes} bytes)`

function duration(seconds: number): string {
  const hours = seconds / 3600
  return hours === 1 ? 'an hour' : `${Math.round(hours * 10) / 10} hours`
}

function malformed(request: FailedRequest): ErrorText {
  if (!request.isTls)
    return errorOf(
      'This port accepts HTTPS only: use a base URL that begins with https://.',
      'https_required',
    )
  return errorOf(
    'The request is not valid HTTP: check the request line and the headers, and that no header is sent twice.',
    'malformed_request',
  )
}

function notFound(request: FailedRequest): ErrorText {
  // If a router has sent the request several times, the last status counts.
  if (request.upstreamStatus.slice(-3) === String(finalStatuses.noService))
    return errorOf(`No copilot of the fleet has a service for ${request.service}.`, 'no_such_service')
  const host = /^[\w.:[\]-]{1,255}$/.test(request.host) ? request.host : 'HOST'
  const path = describeValue(pathOf(request))
  return errorOf(
    `Unknown path ${path}. The base URL is https://${host}/v1 for OpenAI clients and https://${host} for Anthropic clients.`,
    'not_found',
  )
}

function wrongMethod(request: FailedRequest): ErrorText {
  const route = routes.filter(one => one.path === request.path)[0]
  return errorOf(`This path accepts ${route?.method ?? 'GET'}, not ${request.method}.`, 'method_not_allowed')
}

function tooLarge(request: FailedRequest, limits: RequestLimits): ErrorText {
  const route = postRoute(request.path)
  if (route === undefined) return errorOf('This path accepts no request body.', 'request_too_large')
  const tooMuch = `The request body exceeds ${megabytes(limits.bodyLimit)}`
  if (route.service !== undefined)
    return errorOf(`${tooMuch}. Send the texts in several requests.`, 'request_too_large')
  // By this code and these words, agents recognise a conversation that they must shorten.
  return errorOf(
    `${tooMuch}, the limit for a maximum context length of ${limits.contextSize} tokens. Shorten the conversation.`,
    route.isGeneration === true ? 'context_length_exceeded' : 'request_too_large',
  )
}

function unsupported(request: FailedRequest): ErrorText {
  if (request.contentEncoding !== '' && request.contentEncoding.toLowerCase() !== 'identity') {
    return errorOf(
      `Unsupported Content-Encoding ${describeValue(request.contentEncoding)}: send the request uncompressed.`,
      'unsupported_content_encoding',
    )
  }
  const got = request.contentType === '' ? 'none' : describeValue(request.contentType)
  return errorOf(`Content-Type must be application/json, got ${got}.`, 'unsupported_media_type')
}

function errorFor(request: FailedRequest, limits: RequestLimits): ErrorText {
  switch (request.status) {
    case 400:
      return malformed(request)
    case 401:
      return errorOf('Wrong or missing API key.', 'invalid_api_key')
    case 404:
      return notFound(request)
    case 405:
      return wrongMethod(request)
    case 413:
      return tooLarge(request, limits)
    case 414:
      return errorOf('The URL exceeds 8 kB: send parameters in the request body.', 'uri_too_long')
    case 415:
      return unsupported(request)
    case 429:
      return tooMany(request, limits)
    case 431:
      return errorOf(
        'The request headers are too large: the limit is 8 kB for one, and 32 kB in total.',
        'headers_too_large',
      )
    case 503:
      return unavailable(request, limits)
    case 504:
      return errorOf(
        `The answer took longer than ${duration(limits.answerTimeout)}. Use streaming, or ask for a shorter answer.`,
        'answer_timeout',
      )
    default:
      return errorOf(
        'The edge proxy failed to handle the request. Send it again; if it fails again, tell the administrator.',
        'internal_error',
      )
  }
}

/** The body of an error response. */
export function errorBodyText(request: FailedRequest, limits: RequestLimits): string {
  const path = pathOf(request)
  if (path === '/health' && request.status === 503) {
    if (request.drainingSince !== '')
      return JSON.stringify({ status: 'draining', since: request.drainingSince })
    const reason = request.unavailableReason
    return JSON.stringify(reason === '' ? { status: 'loading' } : { status: 'unavailable', reason: reason })
  }
  const error = errorFor(request, limits)
  return JSON.stringify(errorBody(apiOf(path), request.status, error.message, error.code))
}
