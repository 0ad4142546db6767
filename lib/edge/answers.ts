/** The words of every error that the edge proxy itself answers. Pure; runs inside nginx. */
import { deniedLocation, malformedLocation, routes } from '../appliance/requests/api.ts'
import { apiOf, errorBody } from './errors.ts'
import { shown } from './words.ts'

/** What is known of a request that is refused; where nginx has no value: an empty string. */
export type Refused = {
  status: number
  method: string
  /** As the client wrote it, as nginx first read it, and where nginx stands now. */
  target: string
  path: string
  location: string
  isTls: boolean
  /** Of the client's headers. */
  host: string
  contentType: string
  contentEncoding: string
  /** What was answered behind, if anything was. */
  upstreamStatus: string
  /** Why nothing serves, as the appliance knows it. */
  unavailableReason: string
}

export type Bounds = {
  contextSize: number
  /** Bytes. */
  bodyLimit: number
  /** Seconds. */
  answerTimeout: number
}

type Words = { message: string; code: string }
const words = (message: string, code: string): Words => ({ message: message, code: code })

const targetPath = /^(?:[a-zA-Z]+:\/\/[^/?#]*)?([^?#]*)/

/** The path that the shape of an error goes by: nginx's, or, where it came to none, the request line's. */
function pathOf(refused: { path: string; target: string }): string {
  if (refused.path !== '' && refused.path !== malformedLocation) return refused.path
  const written = targetPath.exec(refused.target)
  return (written?.[1] ?? '').replace(/\/+/g, '/')
}

const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB (${bytes} bytes)`

function duration(seconds: number): string {
  const hours = seconds / 3600
  return hours === 1 ? 'an hour' : `${hours.toFixed(1)} hours`
}

function malformed(refused: Refused): Words {
  if (!refused.isTls)
    return words('This port speaks HTTPS alone: the base URL begins with https://.', 'https_required')
  return words(
    'The request is malformed: its request line or a header is not valid HTTP, or a header that may come once came twice.',
    'malformed_request',
  )
}

function notFound(refused: Refused): Words {
  const host = /^[\w.:[\]-]{1,255}$/.test(refused.host) ? refused.host : 'HOST'
  const path = shown(pathOf(refused))
  return words(
    `There is no path ${path} here. The base URL is https://${host}/v1 for OpenAI's clients, https://${host} for Anthropic's.`,
    'not_found',
  )
}

function wrongMethod(refused: Refused): Words {
  const route = routes.filter(one => one.path === refused.path)[0]
  return words(`This path takes ${route?.method ?? 'GET'}, not ${refused.method}.`, 'method_not_allowed')
}

function tooLarge(refused: Refused, bounds: Bounds): Words {
  const takesBody = routes.filter(one => one.path === refused.path && one.method === 'POST').length > 0
  if (!takesBody) return words('This path takes no request body.', 'request_too_large')
  return words(
    `The request is larger than ${megabytes(bounds.bodyLimit)}, the limit with a context of ${bounds.contextSize} tokens.`,
    'request_too_large',
  )
}

function unsupported(refused: Refused): Words {
  if (refused.contentEncoding !== '' && refused.contentEncoding.toLowerCase() !== 'identity') {
    return words(
      `Content-Encoding is ${shown(refused.contentEncoding)}; send the request uncompressed.`,
      'unsupported_content_encoding',
    )
  }
  const given = refused.contentType === '' ? 'missing' : shown(refused.contentType)
  return words(`Content-Type is ${given}; it takes application/json.`, 'unsupported_media_type')
}

function tooMany(refused: Refused): Words {
  if (refused.location === deniedLocation)
    return words('Too many wrong API keys. Try again later.', 'rate_limit_exceeded')
  if (refused.upstreamStatus === '')
    return words('Too many requests with this API key at once. Try again soon.', 'rate_limit_exceeded')
  return words('All slots are busy. Try again soon.', 'rate_limit_exceeded')
}

function unavailable(refused: Refused): Words {
  if (refused.unavailableReason !== '') return words(refused.unavailableReason, 'unavailable')
  if (refused.upstreamStatus === '502') {
    return words(
      'The model server stopped while it was answering, and is being restarted. Send the request again.',
      'unavailable',
    )
  }
  return words('The model is loading. Try again soon.', 'unavailable')
}

function wordsFor(refused: Refused, bounds: Bounds): Words {
  switch (refused.status) {
    case 400:
      return malformed(refused)
    case 401:
      return words('Wrong or missing API key.', 'invalid_api_key')
    case 404:
      return notFound(refused)
    case 405:
      return wrongMethod(refused)
    case 413:
      return tooLarge(refused, bounds)
    case 414:
      return words('The URL is longer than 8 kB.', 'uri_too_long')
    case 415:
      return unsupported(refused)
    case 429:
      return tooMany(refused)
    case 431:
      return words('The request headers are too large: 8 kB each, 32 kB in all.', 'headers_too_large')
    case 503:
      return unavailable(refused)
    case 504:
      return words(
        `The answer took longer than ${duration(bounds.answerTimeout)}. Ask for less, or use streaming.`,
        'answer_timeout',
      )
    default:
      return words('The edge proxy failed to handle the request.', 'internal_error')
  }
}

/** The body of an error. */
export function errorText(refused: Refused, bounds: Bounds): string {
  const path = pathOf(refused)
  if (path === '/health' && refused.status === 503) {
    const reason = refused.unavailableReason
    return JSON.stringify(reason === '' ? { status: 'loading' } : { status: 'unavailable', reason: reason })
  }
  const said = wordsFor(refused, bounds)
  return JSON.stringify(errorBody(apiOf(path), refused.status, said.message, said.code))
}
