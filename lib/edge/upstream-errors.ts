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

/**
 * What is said of too many tokens. Agents recognise a conversation that they must shorten by OpenAI's code or by words in
 * the message: Cline, Continue's `cn` and LangChain do not know llama-server's own, and Claude Code knows Anthropic's.
 */
function tooManyTokensMessage(path: string, prompt: number, most: number): string {
  const service = postRoute(path)?.service
  if (apiOf(path) === 'anthropic') return `prompt is too long: ${prompt} tokens > ${most} maximum`
  if (service !== undefined)
    return `A text has ${prompt} tokens, and the service for ${service} takes ${most} at most: split longer texts.`
  return `This model's maximum context length is ${most} tokens. However, the request has ${prompt} tokens. Shorten the conversation.`
}

/** What the error says: llama-server's own words, unless a client needs others. */
function messageOf(path: string, error: LlamaError): string {
  if (error.type === tooManyTokens && error.n_prompt_tokens !== undefined && error.n_ctx !== undefined)
    return tooManyTokensMessage(path, error.n_prompt_tokens, error.n_ctx)
  if (error.type === 'not_supported_error' && path === '/infill')
    return 'This model cannot fill gaps, and there is no service for completion on this appliance.'
  return error.message ?? 'The model server gave no reason.'
}

/** The body of the error for a path. OpenAI's shape keeps llama-server's type and token counts. */
export function upstreamErrorText(path: string, status: number, text: string): string {
  const error = parse(text)
  const message = messageOf(path, error)
  if (apiOf(path) === 'anthropic') return JSON.stringify(errorBody('anthropic', status, message))
  const type = error.type === undefined || error.type === 'server_error' ? undefined : error.type
  const code = type === tooManyTokens ? 'context_length_exceeded' : type
  const body = errorBody('openai', status, message, code) as { error: Record<string, unknown> }
  if (type !== undefined) body.error.type = type
  if (error.n_prompt_tokens !== undefined) {
    body.error.n_prompt_tokens = error.n_prompt_tokens
    body.error.n_ctx = error.n_ctx
  }
  return JSON.stringify(body)
}
