/** The paths of llama-server that clients may use, with their methods and fields; all else does not reach it. */

import { chat, chatPrompt } from './chat.ts'
import { messages, messagesPrompt } from './messages.ts'
import { responses, responsesPrompt } from './responses.ts'
import type { Fields } from './rules.ts'
import { completions, detokenize, infill, tokenize } from './text.ts'

/** Whose errors and fields a path has. */
export type Api = 'openai' | 'anthropic'

export type Route = {
  path: string
  method: 'GET' | 'POST'
  api: Api
  /** Takes a slot while it is answered. */
  isGeneration?: true
  /** What its request may say; a path without has no body. */
  fields?: Fields
}

export const routes: Route[] = [
  { path: '/v1/models', method: 'GET', api: 'openai' },
  { path: '/props', method: 'GET', api: 'openai' },
  { path: '/v1/chat/completions', method: 'POST', api: 'openai', isGeneration: true, fields: chat },
  { path: '/v1/completions', method: 'POST', api: 'openai', isGeneration: true, fields: completions },
  { path: '/v1/responses', method: 'POST', api: 'openai', isGeneration: true, fields: responses },
  { path: '/v1/messages', method: 'POST', api: 'anthropic', isGeneration: true, fields: messages },
  { path: '/infill', method: 'POST', api: 'openai', isGeneration: true, fields: infill },
  { path: '/v1/messages/count_tokens', method: 'POST', api: 'anthropic', fields: messagesPrompt },
  { path: '/v1/responses/input_tokens', method: 'POST', api: 'openai', fields: responsesPrompt },
  { path: '/v1/chat/completions/input_tokens', method: 'POST', api: 'openai', fields: chatPrompt },
  { path: '/tokenize', method: 'POST', api: 'openai', fields: tokenize },
  { path: '/detokenize', method: 'POST', api: 'openai', fields: detokenize },
  { path: '/apply-template', method: 'POST', api: 'openai', fields: chatPrompt },
]

/** Paths that need no key: the landing page, llama-server's health, the CA's certificate. */
export const openPaths = ['/', '/health', '/ca.crt']

/** Where nginx sends a request that has no good key. */
export const deniedLocation = '/slm-copilot-denied'
/** Before a path: asked once more, when llama-server has failed. */
export const checkLocation = '/slm-copilot-check'
/** Where it sends what it could not read: that has no path, and so no way to a named location. */
export const malformedLocation = '/slm-copilot-malformed'

/** What the edge proxy tells the admission proxy: whose request it is, where keys share the slots. */
export const edgeHeaders = {
  tenant: { name: 'X-Copilot-Tenant', variable: '$http_x_copilot_tenant' },
} as const
