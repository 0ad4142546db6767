/** Rewrites llama-server's own errors in the shape of the client's API. Pure; runs inside nginx. */
import { apiOf, errorBody, postRoute } from './errors.ts'

/** For each generating path, one that processes the same request, template included, without generating. */
const countingPaths: Record<string, string> = {
  '/v1/chat/completions': '/v1/chat/completions/input_tokens',
  '/v1/messages': '/v1/messages/count_tokens',
  '/v1/responses': '/v1/responses/input_tokens',
}

/**
 * The path that shows whether the request itself made llama-server fail: llama-server answers 500 to every
 * exception. Undefined if there is none.
 */
export function checkPathOf(path: string): string | undefined {
  const route = postRoute(path)
  return route === undefined || route.isGeneration !== true ? path : countingPaths[path]
}

type LlamaError = { message?: string; type?: string; code?: number; n_prompt_tokens?: number; n_ctx?: number }

const tooManyTokens = 'exceed_context_size_error'

/** A text that a model must compute in one batch, which this one is too long for: llama-server calls that its own failure. */
const tooLarge = /^input \((\d+) tokens\) is too large to process\..*: (\d+)\)$/

function parse(text: string): LlamaError {
  try {
    const error = JSON.parse(text).error
    if (typeof error !== 'object' || error === null)
      return { message: typeof error === 'string' ? error : text }
    const sizes = tooLarge.exec(String(error.message))
    if (sizes === null) return error
    return {
      message: sizes[0],
      type: tooManyTokens,
      n_prompt_tokens: Number(sizes[1]),
      n_ctx: Number(sizes[2]),
    }
  } catch (_) {
    return { message: text }
  }
}

/**
 * Whether this answer of the path that is asked to see what made llama-server fail says that it was the request. The
 * services beside chat compute it once more, which may fail for other reasons.
 */
export const isRejection = (path: string, status: number, text: string): boolean =>
  status === 400 ||
  (status === 500 && (postRoute(path)?.service === undefined || parse(text).type === tooManyTokens))

/** The body of the error for a path. OpenAI's shape keeps llama-server's token counts. */
export function upstreamErrorText(path: string, status: number, text: string): string {
  const error = parse(text)
  let message = error.message ?? 'The model server gave no reason.'
  if (apiOf(path) === 'anthropic') {
    // Worded as in Anthropic's own API: on this message Claude Code compacts the conversation.
    if (error.type === tooManyTokens && error.n_prompt_tokens !== undefined) {
      message = `prompt is too long: ${error.n_prompt_tokens} tokens > ${error.n_ctx} maximum`
    }
    return JSON.stringify(errorBody('anthropic', status, message))
  }
  const service = postRoute(path)?.service
  if (service !== undefined && error.type === tooManyTokens)
    message = `A text has ${error.n_prompt_tokens} tokens, and the service for ${service} takes ${error.n_ctx} at most: split longer texts.`
  const type = error.type === undefined || error.type === 'server_error' ? undefined : error.type
  const body = errorBody('openai', status, message, type) as { error: Record<string, unknown> }
  if (type !== undefined) body.error.type = type
  if (error.n_prompt_tokens !== undefined) {
    body.error.n_prompt_tokens = error.n_prompt_tokens
    body.error.n_ctx = error.n_ctx
  }
  return JSON.stringify(body)
}
