/**
 * The states of a model beside the baked one, from nobody's request until it has answered here, and the events between.
 *
 * Two facts are stored: the proven file at the model's name (`paths.fileProofs`), and the outcome of its verification
 * (`paths.verifications`). Whether it is requested is the context's to say. So a process that is killed anywhere leaves a
 * state of this file: what is not known to have answered is verified before it serves for good.
 */
import * as z from 'zod'

const outcomeSchema = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('passed') }),
  z.strictObject({
    outcome: z.literal('failed'),
    /** What it failed in, as text: in others it is worth another attempt. */
    circumstances: z.string(),
    /** Why, a sentence. */
    reason: z.string(),
  }),
])

/** Model's digest → the outcome of its verification; none before that. */
export const verificationsSchema = z.record(z.string(), outcomeSchema)
export type Verifications = z.infer<typeof verificationsSchema>
type Outcome = Verifications[string]

export type ModelState =
  | { state: 'not requested' }
  /** Requested, and not here yet. */
  | { state: 'pending download' }
  /** Its file is here and proven; it has not answered yet. */
  | { state: 'pending verification' }
  /** It has answered, and may serve. */
  | { state: 'verified' }
  | { state: 'failed'; isDownloaded: boolean; circumstances: string; reason: string }

export type ModelEvent =
  /** The context names it. */
  | { type: 'requested'; circumstances: string }
  | { type: 'downloaded' }
  | { type: 'answered' }
  /** It did not answer; or its file came whole and is not the right one. */
  | { type: 'failed'; circumstances: string; reason: string }
  /** The administrator has it tried again. */
  | { type: 'retried' }
  /** Its file is gone. */
  | { type: 'removed' }

const pending = (isDownloaded: boolean): ModelState => ({
  state: isDownloaded ? 'pending verification' : 'pending download',
})

/** The state that an event leads to; the same one where it means nothing there. */
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
      // Its failure is remembered: gigabytes would be downloaded for nothing.
      return from.state === 'failed' ? { ...from, isDownloaded: false } : { state: 'not requested' }
  }
}

/** The state by what is stored. A model whose file was removed by hand counts as one that was never here. */
export function storedState(outcome: Outcome | undefined, isDownloaded: boolean): ModelState {
  if (outcome?.outcome === 'failed') {
    const { circumstances, reason } = outcome
    return { state: 'failed', isDownloaded, circumstances, reason }
  }
  if (!isDownloaded) return { state: 'not requested' }
  return { state: outcome === undefined ? 'pending verification' : 'verified' }
}

/** What is to be stored of a state, besides the file. */
export function outcomeOf(state: ModelState): Outcome | undefined {
  if (state.state === 'verified') return { outcome: 'passed' }
  if (state.state !== 'failed') return undefined
  return { outcome: 'failed', circumstances: state.circumstances, reason: state.reason }
}
