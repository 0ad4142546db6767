/** Distinguishes a hung service from a busy one, from observations every 15 seconds. */
import * as z from 'zod'

/** Seconds between two observations. */
export const checkEvery = 15
/** Seconds to wait for a reply. A batch on a slow CPU may take longer: one missing reply proves nothing. */
export const replyTimeout = 5

/**
 * The result of a probe: answered; the model is loading; no reply in time; nothing listens on the socket. The
 * probe of llama-server waits in its queue for the current batch, so an answer proves that its main loop is
 * running.
 */
export type Reply = 'answer' | 'loading' | 'silence' | 'nobody'

export type Observation = {
  /** The unit's invocation; empty if it does not run, or is being started or stopped. */
  invocation: string
  reply: Reply
  /** Seconds of CPU time that its processes have used so far. */
  cpuTime: number
  /** One of its threads is running, or waiting for a CPU or a disk. */
  isRunning: boolean
  /** One of its processes is stopped (SIGSTOP). */
  isStopped: boolean
  /** Requests accepted and not yet answered. */
  requests: number
}

/** What is kept about a service between observations: since when (milliseconds) each symptom has lasted. */
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

/** Seconds after which a lasting symptom is a fault. */
export type WatchdogLimits = {
  /** No answer, and the CPU unused. */
  silence: number
  /** No answer, but busy: longer than any batch, and than saving a slot to a slow disk. */
  runaway: number
  /** Running, but nothing listens. */
  absence: number
  /** Loading the model. */
  loading: number
  /** Requests wait while nothing is computed: time to ask for a token. */
  waiting: number
}

export const limits = { silence: 35, runaway: 900, absence: 25, waiting: 55 } as const

/** Below this share of one CPU a service is idle: computing a batch takes whole CPUs. */
const idleShare = 0.02
/** Seconds of CPU time that are no work, however short the interval: the probe itself takes some. */
const probeCpuTime = 0.1

/**
 * `ask for a token`: a generated token decides. It is requested only in doubt, because it takes a slot and
 * with it some conversation's cached prompt.
 */
export type Judgement =
  | { verdict: 'healthy' | 'wait' | 'ask for a token'; history: History }
  | { verdict: 'hung'; history: History; problem: string }

/** Judges an observation of a service, given its history. `now`: milliseconds. */
export function judge(
  before: History | undefined,
  seen: Observation,
  bounds: WatchdogLimits,
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

/** None of its threads runs now, and it has used almost no CPU time since the last observation. */
function isIdleIn(previous: History | undefined, seen: Observation, now: number): boolean {
  if (seen.isRunning) return false
  if (previous === undefined) return true
  const elapsed = (now - previous.at) / 1000
  return seen.cpuTime - previous.cpuTime < Math.max(idleShare * elapsed, probeCpuTime)
}
