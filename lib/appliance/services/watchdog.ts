/** Distinguishes a hung service from a busy one, by what is observed every 15 seconds. */
import * as z from 'zod'

/** Seconds between two looks. */
export const lookEvery = 15
/** Seconds that an answer may take: some without a wait; a batch of a slow CPU may take longer. */
export const replyTimeout = 5

/**
 * What came of a question: an answer; word that the model loads; nothing in time; nobody who listens. llama-server is
 * asked what waits in its queue for the batch in work, so an answer proves that its main loop goes round.
 */
export type Reply = 'answer' | 'loading' | 'silence' | 'nobody'

export type Observation = {
  /** The run of the unit; empty where it does not run, or is being started or stopped. */
  invocation: string
  reply: Reply
  /** Seconds of CPU time that its processes have used so far. */
  cpuTime: number
  /** One of its threads runs, waits for a CPU or for a disk. */
  isRunning: boolean
  /** One of its processes is stopped (SIGSTOP). */
  isStopped: boolean
  /** Requests that it has accepted and not answered. */
  requests: number
}

/** What is remembered of a service from look to look: since when (in milliseconds) something has been amiss. */
export const historySchema = z.strictObject({
  invocation: z.string(),
  at: z.int(),
  cpuTime: z.number(),
  silentSince: z.int().optional(),
  idleSince: z.int().optional(),
  absentSince: z.int().optional(),
  loadingSince: z.int().optional(),
  stoppedSince: z.int().optional(),
  waitingSince: z.int().optional(),
})
export type History = z.infer<typeof historySchema>

/** Seconds until something that goes on is a fault. */
export type Limits = {
  /** Without an answer, and without using the CPU. */
  silence: number
  /** Without an answer, and at work: longer than any batch, and than a slot takes to be written to a slow disk. */
  runaway: number
  /** Running, and nobody listens. */
  absence: number
  /** Loading the model. */
  loading: number
  /** Requests wait while nothing computes: time to ask for a token. */
  waiting: number
}

export const limits = { silence: 35, runaway: 900, absence: 25, waiting: 55 } as const

/** Below this share of a CPU a service does nothing: a batch takes whole ones. */
const idleShare = 0.02

/** `ask for a token`: what it answers decides; the slot that it takes is lost to a conversation, so it is asked only in doubt. */
export type Judgement =
  | { verdict: 'healthy' | 'wait' | 'ask for a token'; history: History }
  | { verdict: 'hung'; history: History; problem: string }

/** What to make of a look at a service, given what was seen before. `now`: milliseconds. */
export function judge(
  before: History | undefined,
  seen: Observation,
  bounds: Limits,
  now: number,
): Judgement | undefined {
  if (seen.invocation === '') return undefined
  const previous = before?.invocation === seen.invocation ? before : undefined
  const isIdle = isIdleIn(previous, seen, now)
  const since = (is: boolean, start: number | undefined) => (is ? (start ?? now) : undefined)
  const history: History = {
    invocation: seen.invocation,
    at: now,
    cpuTime: seen.cpuTime,
    silentSince: since(seen.reply === 'silence', previous?.silentSince),
    idleSince: since(seen.reply === 'silence' && isIdle, previous?.idleSince),
    absentSince: since(seen.reply === 'nobody', previous?.absentSince),
    loadingSince: since(seen.reply === 'loading', previous?.loadingSince),
    stoppedSince: since(seen.isStopped, previous?.stoppedSince),
    waitingSince: since(seen.reply === 'answer' && isIdle && seen.requests > 0, previous?.waitingSince),
  }
  const lasted = (start: number | undefined, seconds: number) =>
    start !== undefined && now - start >= seconds * 1000
  const hung = (problem: string): Judgement => ({ verdict: 'hung', history, problem })

  if (lasted(history.stoppedSince, bounds.silence)) return hung('was stopped by a signal')
  if (lasted(history.absentSince, bounds.absence)) return hung('stopped listening on its socket')
  if (lasted(history.idleSince, bounds.silence)) return hung('stopped answering')
  if (lasted(history.silentSince, bounds.runaway))
    return hung(`used the CPU for ${bounds.runaway / 60} minutes without answering`)
  if (lasted(history.loadingSince, bounds.loading)) return hung('did not finish loading the model')
  if (lasted(history.waitingSince, bounds.waiting)) return { verdict: 'ask for a token', history }
  const isAmiss = seen.reply !== 'answer' || seen.isStopped || history.waitingSince !== undefined
  return { verdict: isAmiss ? 'wait' : 'healthy', history }
}

/** Nothing of it runs now, and it has used next to no CPU time since the last look. */
function isIdleIn(previous: History | undefined, seen: Observation, now: number): boolean {
  if (seen.isRunning) return false
  if (previous === undefined) return true
  const elapsed = (now - previous.at) / 1000
  return seen.cpuTime - previous.cpuTime < idleShare * Math.max(elapsed, 1)
}
