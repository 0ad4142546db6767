/** Why nothing can be generated at the moment, in the words that clients, status and banner show. */
import * as z from 'zod'

export const unavailableSchema = z.strictObject({
  state: z.enum(['loading', 'restarting', 'failed', 'fetching', 'unavailable', 'stopped']),
  /** A sentence or two, printable, at most 300 characters. */
  message: z.string(),
  /** Seconds after which a client may ask again. */
  retryAfter: z.int().min(1).max(600),
})

export type Unavailable = z.infer<typeof unavailableSchema>

/** Seconds until a client may ask again: while a model loads, and while nothing happens by itself. */
const soon = 10
const later = 120

/** `10:00:08 UTC`. */
const clock = (time: number) => `${new Date(time).toISOString().slice(11, 19)} UTC`

/** Without control characters, and no longer than an error's message should be. */
const printable = (text: string) => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 300)

export const isLoading = (): Unavailable => ({
  state: 'loading',
  message: 'The model is loading. Try again soon.',
  retryAfter: soon,
})

/** llama-server ended by itself. `next`: when it starts again, in milliseconds. */
export const isRestarting = (cause: string, endedAt: number, next: number): Unavailable => ({
  state: 'restarting',
  message: printable(`llama-server ${cause} at ${clock(endedAt)}; it starts again at ${clock(next)}.`),
  retryAfter: Math.min(600, Math.max(1, Math.ceil((next - endedAt) / 1000)) + soon),
})

/** It has started again after that. */
export const isLoadingAgain = (cause: string, endedAt: number): Unavailable => ({
  state: 'restarting',
  message: printable(`llama-server ${cause} at ${clock(endedAt)}; it is loading the model again.`),
  retryAfter: soon,
})

/** It never got as far as answering, and is not started again. */
export const hasFailed = (cause: string, attempts: number): Unavailable => ({
  state: 'failed',
  message: printable(
    `The model cannot be loaded: llama-server ${cause}, the last of ${attempts} attempts. ` +
      'The administrator finds the reason with: journalctl -u slm-copilot',
  ),
  retryAfter: later,
})

export const isStopped = (endedAt: number): Unavailable => ({
  state: 'stopped',
  message: `llama-server was stopped at ${clock(endedAt)}.`,
  retryAfter: later,
})

/** There is no model that could serve: one is being fetched, or none fits. `reason`: a sentence. */
export const hasNoModel = (reason: string, isFetching: boolean): Unavailable => ({
  state: isFetching ? 'fetching' : 'unavailable',
  message: printable(reason),
  retryAfter: later,
})
