/** llama-server's own errors, told in the API's shape and as what they are. Pure; runs inside nginx. */
import { apiOf, errorBody, postRoute } from './errors.ts'

/** What reads the same request as a generation, templates and grammars included, and generates nothing. */
const counters: Record<string, string> = {
  '/v1/chat/completions': '/v1/chat/completions/input_tokens',
  '/v1/messages': '/v1/messages/count_tokens',
  '/v1/responses': '/v1/responses/input_tokens',
}

/**
 * Where to ask whether a request is the reason that llama-server failed: it answers 500 to whatever throws in it. Undefined
 * where there is no telling.
 */
export function checkOf(path: string): string | undefined {
  const route = postRoute(path)
  return route === undefined || route.isGeneration !== true ? path : counters[path]
}

type LlamaError = { message?: string; type?: string; code?: number; n_prompt_tokens?: number; n_ctx?: number }

function parse(text: string): LlamaError {
  try {
    const error = JSON.parse(text).error
    if (typeof error === 'object' && error !== null) return error
    return { message: typeof error === 'string' ? error : text }
  } catch (_) {
    return { message: text }
  }
}

/** The body for the client of a path. What OpenAI's clients get has llama-server's further fields, which count tokens. */
export function upstreamErrorText(path: string, status: number, text: string): string {
  const error = parse(text)
  let message = error.message ?? 'The model server gave no reason.'
  if (apiOf(path) === 'anthropic') {
    // The words of Anthropic's own API: Claude Code compacts the conversation when it reads them.
    if (error.type === 'exceed_context_size_error' && error.n_prompt_tokens !== undefined) {
      message = `prompt is too long: ${error.n_prompt_tokens} tokens > ${error.n_ctx} maximum`
    }
    return JSON.stringify(errorBody('anthropic', status, message))
  }
  const type = error.type === undefined || error.type === 'server_error' ? undefined : error.type
  const body = errorBody('openai', status, message, type) as { error: Record<string, unknown> }
  if (type !== undefined) body.error.type = type
  if (error.n_prompt_tokens !== undefined) {
    body.error.n_prompt_tokens = error.n_prompt_tokens
    body.error.n_ctx = error.n_ctx
  }
  return JSON.stringify(body)
}
