import { expect, it } from 'vitest'
import { deniedLocation, malformedLocation } from '../../../lib/appliance/requests/api.ts'
import { errorBodyText } from '../../../lib/edge/error-messages.ts'
import type { FailedRequest } from '../../../lib/edge/failed-request.ts'

const chat = '/v1/chat/completions'
const request: FailedRequest = {
  status: 504,
  method: 'POST',
  target: chat,
  path: chat,
  location: '',
  isTls: true,
  host: 'copilot.example.com',
  contentType: 'application/json',
  contentEncoding: '',
  upstreamStatus: '',
  exceeded: '',
  quota: '',
  service: 'chat',
  unavailableReason: '',
  drainingSince: '',
}
const limits = { contextSize: 4096, bodyLimit: 1_548_576, answerTimeout: 3600, slots: 4 }
const keyExceeded = { status: 429, upstreamStatus: '429', exceeded: 'key' }
const bodyOf = (failed: Partial<FailedRequest>) =>
  JSON.parse(errorBodyText({ ...request, ...failed }, limits)) as { error: Record<string, unknown> }

it.each<[string, Partial<FailedRequest>, RegExp]>([
  ['one of the keys', keyExceeded, /is using all slots of the fleet but one/],
  ['all keys', { ...keyExceeded, exceeded: 'slots' }, /All slots of the fleet are busy/],
  ['its key is refused', { status: 503, upstreamStatus: '401' }, /does not accept the key of this router/],
  ['its key is refused after a repetition', { status: 503, upstreamStatus: '503, 401' }, /does not accept/],
  ['nobody', { status: 503, upstreamStatus: '503' }, /No copilot of the fleet is ready/],
  [
    'nobody after a refused key',
    { status: 503, upstreamStatus: '401, 503' },
    /No copilot of the fleet is ready/,
  ],
])('on a router: %s', (_, failed, text) => {
  const onRouter = { ...limits, slots: 65, fleetModels: '/models.json' }
  const { error } = JSON.parse(errorBodyText({ ...request, ...failed }, onRouter))
  expect(error.message).toMatch(text)
})

it.each([
  [3600, 'an hour'],
  [14_400, '4 hours'],
  [32_768, '9.1 hours'],
])('says how long an answer may take: %d s is %s', (answerTimeout, words) => {
  const text = errorBodyText(request, { ...limits, answerTimeout })
  expect(text).toContain(`The answer took longer than ${words}. Use streaming`)
})

it.each<[string, Partial<FailedRequest>, string, RegExp]>([
  ['HTTP to the HTTPS port', { status: 400, isTls: false }, 'https_required', /a base URL .* https:/],
  ['a malformed request', { status: 400 }, 'malformed_request', /not valid HTTP/],
  ['a wrong key', { status: 401 }, 'invalid_api_key', /^Wrong or missing API key\.$/],
  [
    'a path in want of a POST',
    { status: 405, method: 'GET' },
    'method_not_allowed',
    /accepts POST, not GET\./,
  ],
  [
    'a path in want of a GET',
    { status: 405, path: '/v1/models' },
    'method_not_allowed',
    /accepts GET, not POST\./,
  ],
  ['an unknown path', { status: 405, path: '/x' }, 'method_not_allowed', /accepts GET, not POST\./],
  [
    'a body that is too large',
    { status: 413 },
    'context_length_exceeded',
    /exceeds 1\.5 MB \(1548576 bytes\), the limit for a maximum context length of 4096 tokens\. Shorten/,
  ],
  [
    'texts that are too large',
    { status: 413, path: '/v1/embeddings' },
    'request_too_large',
    /exceeds 1\.5 MB \(1548576 bytes\)\. Send the texts in several requests\.$/,
  ],
  [
    'a text to tokenize that is too large',
    { status: 413, path: '/tokenize' },
    'request_too_large',
    /exceeds 1\.5 MB \(1548576 bytes\), the limit /,
  ],
  [
    'a service that no copilot has, after a repetition',
    { status: 404, upstreamStatus: '539, 421', service: 'embeddings' },
    'no_such_service',
    /^No copilot of the fleet has a service for embeddings\.$/,
  ],
  [
    'a body for a GET',
    { status: 413, path: '/v1/models' },
    'request_too_large',
    /^This path accepts no request body\.$/,
  ],
  [
    'a body for the landing page',
    { status: 413, path: '/' },
    'request_too_large',
    /^This path accepts no request body\.$/,
  ],
  ['a long URL', { status: 414 }, 'uri_too_long', /The URL exceeds 8 kB/],
  [
    'a form',
    { status: 415, contentType: 'text/plain' },
    'unsupported_media_type',
    /must be application.json, got "text.plain"\.$/,
  ],
  ['no content type', { status: 415, contentType: '' }, 'unsupported_media_type', /got none\.$/],
  [
    'compression',
    { status: 415, contentEncoding: 'gzip' },
    'unsupported_content_encoding',
    /Content-Encoding "gzip": send/,
  ],
  [
    'a form in no encoding',
    { status: 415, contentType: 'text/plain', contentEncoding: 'Identity' },
    'unsupported_media_type',
    /got "text.plain"\.$/,
  ],
  [
    'too many wrong keys',
    { status: 429, location: deniedLocation },
    'rate_limit_exceeded',
    /wrong API key from this address/,
  ],
  [
    'too many requests with one key',
    { status: 429 },
    'rate_limit_exceeded',
    /^Too many requests at once or per second with this API key/,
  ],
  [
    'busy slots',
    { status: 429, upstreamStatus: '429' },
    'rate_limit_exceeded',
    /^All slots are busy\. Try again shortly\.$/,
  ],
  [
    'a key with its own limit',
    { ...keyExceeded, quota: '2' },
    'rate_limit_exceeded',
    /^This API key is already using its limit of 2 slots\./,
  ],
  [
    'a key with its own limit of one',
    { ...keyExceeded, quota: '1' },
    'rate_limit_exceeded',
    /^This API key is already using its limit of 1 slot\./,
  ],
  [
    'a key with its own limit, which leaves one slot',
    { ...keyExceeded, quota: '3' },
    'rate_limit_exceeded',
    /^This API key is already using its limit of 3 slots\./,
  ],
  [
    'a key with a limit of all slots',
    { ...keyExceeded, quota: '4' },
    'rate_limit_exceeded',
    /^This API key is using 3 slots: the last one is kept for other keys\./,
  ],
  [
    'a key with no limit of its own',
    { ...keyExceeded, quota: '' },
    'rate_limit_exceeded',
    /^This API key is using 3 slots: the last one/,
  ],
  [
    'busy slots, with a limit of its own',
    { status: 429, upstreamStatus: '429', exceeded: 'slots', quota: '2' },
    'rate_limit_exceeded',
    /^All slots are busy\./,
  ],
  [
    'too many token counts',
    { status: 429, upstreamStatus: '429', exceeded: 'counts' },
    'rate_limit_exceeded',
    /^Too many requests that count tokens/,
  ],
  [
    'a busy service beside chat',
    { status: 429, upstreamStatus: '429', service: 'completion' },
    'rate_limit_exceeded',
    /^The service for completion is busy\. Try again shortly\.$/,
  ],
  [
    'busy slots, for a service that is not known',
    { status: 429, upstreamStatus: '429', service: '' },
    'rate_limit_exceeded',
    /^All slots are busy\./,
  ],
  [
    'a service beside chat that does not run, whatever chat does',
    { status: 503, service: 'embeddings', unavailableReason: 'Too little memory.' },
    'unavailable',
    /^The service for embeddings is not running: /,
  ],
  ['large headers', { status: 431 }, 'headers_too_large', /8 kB for one, and 32 kB in total/],
  ['a model that is loading', { status: 503 }, 'unavailable', /^The model is loading\. Try again shortly\.$/],
  ['a crash', { status: 503, upstreamStatus: '502' }, 'unavailable', /stopped while it was answering/],
  [
    'no model',
    { status: 503, unavailableReason: 'Too little memory.' },
    'unavailable',
    /^Too little memory\.$/,
  ],
  [
    'no model, after a crash',
    { status: 503, upstreamStatus: '502', unavailableReason: 'Too little memory.' },
    'unavailable',
    /^Too little memory\.$/,
  ],
  [
    'a drain, whatever else',
    {
      status: 503,
      upstreamStatus: '502',
      unavailableReason: 'No model.',
      drainingSince: '2026-02-14T10:00:00Z',
    },
    'draining',
    /^This VM has been draining since 2026-02-14T10:00:00Z: .* later, or to another VM\.$/,
  ],
  ['a long answer', { status: 504 }, 'answer_timeout', /^The answer took longer than an hour/],
  ['anything else', { status: 500 }, 'internal_error', /^The edge proxy failed to handle the request/],
])('explains %s', (_, failed, code, message) => {
  expect(bodyOf(failed).error).toMatchObject({ code, message: expect.stringMatching(message) })
})

it.each([
  ['copilot.example.com:8443', 'copilot.example.com:8443'],
  ['[2001:db8::1]', '[2001:db8::1]'],
  ['', 'HOST'],
  ['a b', 'HOST'],
  ['"><script>', 'HOST'],
  [`${'a'.repeat(255)}`, 'a'.repeat(255)],
  [`${'a'.repeat(256)}`, 'HOST'],
])('names the base URLs to a request for an unknown path at host %j', (host, shown) => {
  expect(bodyOf({ status: 404, path: '/v2/chat', host }).error).toMatchObject({
    code: 'not_found',
    message: `Unknown path "/v2/chat". The base URL is https://${shown}/v1 for OpenAI clients and https://${shown} for Anthropic clients.`,
  })
})

// nginx has no path for a request line that it rejected: the shape then follows the line.
it.each<[string, Partial<FailedRequest>, boolean]>([
  ['the path', { path: '/v1/messages', target: chat }, true],
  ['the path', { path: chat, target: '/v1/messages' }, false],
  ['the target without a path', { path: '', target: '/v1/messages?beta=true' }, true],
  ['the target of a malformed request', { path: malformedLocation, target: '/v1/messages#x' }, true],
  ['an absolute target', { path: '', target: 'https://copilot.example.com/v1/messages' }, true],
  ['an absolute target with slashes', { path: '', target: 'http://a//v1///messages' }, true],
  ['an absolute target of OpenAI', { path: '', target: 'http://a?b/v1/messages' }, false],
  ['a path below it', { path: '/v1/messages/batches' }, true],
  ['one that only begins alike', { path: '/v1/messages2' }, false],
  ['an empty target', { path: '', target: '' }, false],
])('has the shape of the API: %s of %o', (_, failed, isAnthropic) => {
  const body = bodyOf({ status: 400, ...failed })
  expect('type' in body).toBe(isAnthropic)
  expect('code' in body.error).toBe(!isAnthropic)
})

it('answers a load balancer at /health by status alone', () => {
  const health = { status: 503, path: '/health' }
  expect(bodyOf(health)).toEqual({ status: 'loading' })
  expect(bodyOf({ ...health, unavailableReason: 'No model.' })).toEqual({
    status: 'unavailable',
    reason: 'No model.',
  })
  const drainingSince = '2026-02-14T10:00:00Z'
  expect(bodyOf({ ...health, unavailableReason: 'No model.', drainingSince })).toEqual({
    status: 'draining',
    since: drainingSince,
  })
  expect(bodyOf({ ...health, status: 429 }).error).toMatchObject({ code: 'rate_limit_exceeded' })
})
