/** The paths of llama-server that clients may use, with their methods and fields; no other reaches it. */

import { chat, chatPrompt } from './chat.ts'
import { embeddings, rerank } from './embeddings.ts'
import { messages, messagesPrompt } from './messages.ts'
import { responses, responsesPrompt } from './responses.ts'
import type { Fields } from './rules.ts'
import type { CompanionKind } from './services.ts'
import { completions, detokenize, infill, tokenize } from './text.ts'

/** The API that defines a path's fields and errors. */
export type Api = 'openai' | 'anthropic'

export type Route = {
  path: string
  method: 'GET' | 'POST'
  api: Api
  /** Occupies a slot until it is answered. */
  isGeneration?: true
  /** The service that alone has this path; otherwise chat has it, and for some the completion service too. */
  service?: CompanionKind
  /** The fields of its request; a path without fields has no body. Made when they are needed: nginx runs this anew for each request. */
  fields?: () => Fields
}

export const routes: Route[] = [
  { path: '/v1/models', method: 'GET', api: 'openai' },
  { path: '/props', method: 'GET', api: 'openai' },
  { path: '/v1/chat/completions', method: 'POST', api: 'openai', isGeneration: true, fields: chat },
  { path: '/v1/completions', method: 'POST', api: 'openai', isGeneration: true, fields: completions },
  { path: '/v1/responses', method: 'POST', api: 'openai', isGeneration: true, fields: responses },
  { path: '/v1/messages', method: 'POST', api: 'anthropic', isGeneration: true, fields: messages },
  { path: '/infill', method: 'POST', api: 'openai', isGeneration: true, fields: infill },
  { path: '/v1/embeddings', method: 'POST', api: 'openai', service: 'embeddings', fields: embeddings },
  { path: '/v1/rerank', method: 'POST', api: 'openai', service: 'reranking', fields: rerank },
  { path: '/v1/messages/count_tokens', method: 'POST', api: 'anthropic', fields: messagesPrompt },
  { path: '/v1/responses/input_tokens', method: 'POST', api: 'openai', fields: responsesPrompt },
  { path: '/v1/chat/completions/input_tokens', method: 'POST', api: 'openai', fields: chatPrompt },
  { path: '/tokenize', method: 'POST', api: 'openai', fields: tokenize },
  { path: '/detokenize', method: 'POST', api: 'openai', fields: detokenize },
  { path: '/apply-template', method: 'POST', api: 'openai', fields: chatPrompt },
]

/** Paths that need no key: the landing page, llama-server's health, the CA's certificate. */
export const openPaths = ['/', '/health', '/ca.crt']

/** The metrics, for Prometheus: any key opens them, or one that opens nothing else. */
export const metricsPath = '/metrics'
/** The prefix of the internal locations that a scrape asks. */
export const metricsLocation = '/slm-copilot-metrics'

/** The internal location of requests without a valid key. */
export const deniedLocation = '/slm-copilot-denied'
/** The internal location of requests whose body is not JSON. */
export const unsupportedLocation = '/slm-copilot-unsupported'
/** The internal location of preflight requests: those with method OPTIONS (Fetch standard, CORS-preflight fetch). */
export const preflightLocation = '/slm-copilot-preflight'
/** The prefix of the internal locations that check once more a request which made llama-server fail. */
export const checkLocation = '/slm-copilot-check'
/** In the admission proxy, the prefix of the internal locations that send a part of a request to a service beside chat. */
export const partsLocation = '/part'
/** The internal location of requests that nginx could not parse; without a path, it can use no named one. */
export const malformedLocation = '/slm-copilot-malformed'

/**
 * Headers from the edge proxy to the admission proxy: the tenant, if there are several, and its limit, if it has
 * one.
 */
export const edgeHeaders = {
  tenant: { name: 'X-Copilot-Tenant', variable: '$http_x_copilot_tenant' },
  quota: { name: 'X-Copilot-Quota', variable: '$http_x_copilot_quota' },
} as const

/**
 * Headers from a router's edge proxy to HAProxy: what stays on one copilot, the model that a request names, and the service
 * beside chat that it is for, if it is for one.
 */
export const routingHeaders = {
  session: 'X-Copilot-Session',
  model: 'X-Copilot-Model',
  service: 'X-Copilot-Service',
} as const

/**
 * HAProxy's statuses for what the edge proxy shall not send again: no copilot has the service, the fleet is full or the
 * key at its limit, no copilot answers. Neither llama-server nor a copilot uses them.
 */
export const finalStatuses = { noService: 421, full: 439, none: 539 } as const

/** How often a router sends a request, as long as copilots refuse it. One that has failed is sent only once more. */
export const mostAttempts = 4

/** The header with which the admission proxy says which limit a request exceeded. */
export const limitHeader = { name: 'X-Copilot-Limit', variable: '$upstream_http_x_copilot_limit' } as const
