/**
 * The states of a model that is not baked in, from not requested to verified, and the events that change
 * them.
 *
 * Two facts are stored: the proof of the model's file (`paths.fileProofs`) and the outcome of its
 * verification (`paths.verifications`); the context says whether it is requested. So a process killed at any
 * point leaves one of these states: a model without a stored outcome is verified before it may serve.
 */
import * as z from 'zod'

const outcomeSchema = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('passed') }),
  z.strictObject({
    outcome: z.literal('failed'),
    /** The circumstances of the failure, as text: in others it is worth another attempt. */
    circumstances: z.string(),
    /** Why, a sentence. */
    reason: z.string(),
  }),
])

/** Model's digest → the outcome of its verification; absent before that. */
export const verificationsSchema = z.record(z.string(), outcomeSchema)
export type Verifications = z.infer<typeof verificationsSchema>
type VerificationOutcome = Verifications[string]

export type ModelState =
  | { state: 'not requested' }
  /** Requested, and not downloaded yet. */
  | { state: 'pending download' }
  /** Downloaded, and its digest proven; it has not answered yet. */
  | { state: 'pending verification' }
  /** It has answered, and may serve. */
  | { state: 'verified' }
  | { state: 'failed'; isDownloaded: boolean; circumstances: string; reason: string }

export type ModelEvent =
  /** The context names it. */
  | { type: 'requested'; circumstances: string }
  | { type: 'downloaded' }
  | { type: 'answered' }
  /** It did not answer; or its file was downloaded completely and is the wrong one. */
  | { type: 'failed'; circumstances: string; reason: string }
  /** The administrator wants it tried again. */
  | { type: 'retried' }
  /** Its file is gone. */
  | { type: 'removed' }

const pending = (isDownloaded: boolean): ModelState => ({
  state: isDownloaded ? 'pending verification' : 'pending download',
})

/** The state that an event leads to; unchanged if the event does not apply. */
export function transition(from: ModelState, event: ModelEvent): ModelState {
  switch (event.type) {
    case 'requested':
      if (from.state === 'not requested') return pending(false)
      return from.state === 'failed' && from.circumstances !== event.circumstances
        ? pending(from.isDownloaded)
        : from
    case 'downloaded':
      if (from.state === 'failed') return { ...from, isDownloaded: true }
      return from.state === 'verified' ? from : pending(true)
    case 'answered':
      return from.state === 'pending verification' ? { state: 'verified' } : from
    case 'failed': {
      if (from.state === 'verified') return from
      const isDownloaded = from.state === 'failed' ? from.isDownloaded : from.state === 'pending verification'
      return { state: 'failed', isDownloaded, circumstances: event.circumstances, reason: event.reason }
    }
    case 'retried':
      return from.state === 'failed' ? pending(from.isDownloaded) : from
    case 'removed':
      // The failure is remembered, to avoid downloading gigabytes for nothing.
      return from.state === 'failed' ? { ...from, isDownloaded: false } : { state: 'not requested' }
  }
}

/** The state from what is stored. A model whose file was removed by hand counts as never downloaded. */
export function storedState(outcome: VerificationOutcome | undefined, isDownloaded: boolean): ModelState {
  if (outcome?.outcome === 'failed') {
    const { circumstances, reason } = outcome
    return { state: 'failed', isDownloaded, circumstances, reason }
  }
  if (!isDownloaded) return { state: 'not requested' }
  return { state: outcome === undefined ? 'pending verification' : 'verified' }
}

/** What to store of a state, besides the file. */
export function outcomeOf(state: ModelState): VerificationOutcome | undefined {
  if (state.state === 'verified') return { outcome: 'passed' }
  if (state.state !== 'failed') return undefined
  return { outcome: 'failed', circumstances: state.circumstances, reason: state.reason }
}
