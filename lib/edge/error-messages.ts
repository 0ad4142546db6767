/** The text of each error that the edge proxy itself reports. Pure; runs inside nginx. */
import { deniedLocation, malformedLocation, routes } from '../appliance/requests/api.ts'
import type { EdgeSettings } from '../appliance/requests/edge-settings.ts'
import { apiOf, errorBody } from './errors.ts'
import { describeValue } from './messages.ts'

/** What nginx knows about a failed request; an empty string if it knows nothing. */
export type FailedRequest = {
  status: number
  method: string
  /** The request target as sent, nginx's normalised path, and the location after internal redirects. */
  target: string
  path: string
  location: string
  isTls: boolean
  /** Request headers. */
  host: string
  contentType: string
  contentEncoding: string
  /** The status of the response from upstream, if there was one. */
  upstreamStatus: string
  /** The limit that the admission proxy says was exceeded, and the tenant's own limit, if it has one. */
  exceeded: string
  quota: string
  /** The service beside chat that it is for, as far as that is known; `chat` otherwise. */
  service: string
  /** Why llama-server is unavailable, if known. */
  unavailableReason: string
  /** Since when the VM is being drained, if it is. */
  drainingSince: string
}

type RequestLimits = Pick<
  EdgeSettings,
  'contextSize' | 'bodyLimit' | 'answerTimeout' | 'slots' | 'fleetModels'
>

type ErrorText = { message: string; code: string }
const errorOf = (message: string, code: string): ErrorText => ({ message: message, code: code })

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
  const takesBody = routes.filter(one => one.path === request.path && one.method === 'POST').length > 0
  if (!takesBody) return errorOf('This path accepts no request body.', 'request_too_large')
  return errorOf(
    `The request body exceeds ${megabytes(limits.bodyLimit)}, the limit for a context of ${limits.contextSize} tokens. Shorten the conversation.`,
    'request_too_large',
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

/** The tenant's own limit, or else all slots but one. */
function keyLimit(request: FailedRequest, limits: RequestLimits): string {
  const share = limits.slots - 1
  if (request.quota !== '' && Number(request.quota) <= share)
    return `This API key may take ${slotCount(Number(request.quota))} at once, and does. Try again when an answer has ended.`
  if (limits.fleetModels !== undefined)
    return 'This API key takes all slots of the fleet but one, which is kept for other keys. Try again when an answer has ended.'
  return `This API key takes ${slotCount(share)}: the last one is kept for other keys. Try again when an answer has ended.`
}

const slotCount = (slots: number) => (slots === 1 ? '1 slot' : `${slots} slots`)

function tooMany(request: FailedRequest, limits: RequestLimits): ErrorText {
  if (request.location === deniedLocation)
    return errorOf(
      'Too many requests with a wrong API key from this address. Check the key, and try again later.',
      'rate_limit_exceeded',
    )
  if (request.upstreamStatus === '')
    return errorOf(
      'Too many concurrent requests with this API key. Try again shortly.',
      'rate_limit_exceeded',
    )
  if (isForCompanion(request))
    return errorOf(`The service for ${request.service} is busy. Try again shortly.`, 'rate_limit_exceeded')
  if (request.exceeded === 'key') return errorOf(keyLimit(request, limits), 'rate_limit_exceeded')
  if (request.exceeded === 'counts')
    return errorOf(
      'Too many requests that count tokens are in progress. Try again shortly.',
      'rate_limit_exceeded',
    )
  if (limits.fleetModels !== undefined)
    return errorOf('All slots of the fleet are busy. Try again shortly.', 'rate_limit_exceeded')
  return errorOf('All slots are busy. Try again shortly.', 'rate_limit_exceeded')
}

const isForCompanion = (request: FailedRequest) => request.service !== '' && request.service !== 'chat'

const draining = (since: string) =>
  `This VM is being drained since ${since}: it finishes what it is answering, and takes nothing new. Send the request again: elsewhere, or later.`

function unavailable(request: FailedRequest, limits: RequestLimits): ErrorText {
  // Whatever else may be: this one will not be answered here.
  if (request.drainingSince !== '') return errorOf(draining(request.drainingSince), 'draining')
  if (isForCompanion(request))
    return errorOf(
      `The service for ${request.service} is not running: it is starting, or its model is still being downloaded. Try again shortly.`,
      'unavailable',
    )
  if (request.unavailableReason !== '') return errorOf(request.unavailableReason, 'unavailable')
  // The last of several, if the request has been repeated.
  if (limits.fleetModels !== undefined && /(^|\D)401$/.test(request.upstreamStatus))
    return errorOf(
      'A copilot of the fleet does not accept the key of this router. Whoever runs the fleet can help: ONEAPP_COPILOT_FLEET_KEY must be the same on all its VMs.',
      'unavailable',
    )
  if (request.upstreamStatus === '502') {
    return errorOf(
      'The model server stopped while it was answering, and is being restarted. Send the request again.',
      'unavailable',
    )
  }
  if (limits.fleetModels !== undefined)
    return errorOf('No copilot of the fleet is ready. Try again shortly.', 'unavailable')
  return errorOf('The model is loading. Try again shortly.', 'unavailable')
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
