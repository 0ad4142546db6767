/** Restart policy for llama-server: a growing delay, and giving up on a model that never loads. */
import * as z from 'zod'
import { backOff } from '../back-off.ts'

export const restartsSchema = z.strictObject({
  /** Ends in a row that nobody asked for. */
  failures: z.int().min(0),
  /** When the last of them was, and when the server may start again: milliseconds. */
  endedAt: z.int(),
  next: z.int(),
  /** What happened, to be read after "llama-server". */
  cause: z.string(),
  /** When the present run was first seen to have loaded its model: milliseconds. */
  loadedAt: z.int().optional(),
  /** Why it was ended by the watchdog, in the words of `cause`. */
  endedFor: z.string().optional(),
})

export type Restarts = z.infer<typeof restartsSchema>

export const noRestarts: Restarts = { failures: 0, endedAt: 0, next: 0, cause: '' }

/** A model that has never loaded is given up after so many attempts: two minutes, and what each takes. */
export const attemptsToLoad = 8
/** Seconds: the longest pause, shorter than systemd's limit of 90 for a start. */
export const longestPause = 60
/** Milliseconds: who has served so long starts again at once. */
const steadyAfter = 600_000

/** Seconds until the next start: 1, 2, 4 …, a minute at most. */
export const pauseAfter = (failures: number): number => backOff(failures, 1, longestPause)

/** How systemd says that a service ended (systemd.exec(5), $SERVICE_RESULT). */
export type ServiceEnd = {
  result: string | undefined
  exitCode: string | undefined
  exitStatus: string | undefined
}

const results: Record<string, string> = {
  'oom-kill': 'ran out of memory',
  timeout: 'did not start in time',
  watchdog: 'stopped answering',
}

const signals: Record<string, string> = {
  SEGV: 'crashed (segmentation fault)',
  ABRT: 'crashed (aborted)',
  BUS: 'crashed (bus error)',
  ILL: 'crashed (illegal instruction)',
  FPE: 'crashed (arithmetic error)',
}

/** What happened, to be read after "llama-server". */
export function causeOf({ result, exitCode, exitStatus }: ServiceEnd): string {
  const known = results[result ?? '']
  if (known !== undefined) return known
  if (exitCode === 'exited') return `exited with code ${exitStatus}`
  const signal = exitStatus ?? 'unknown'
  return signals[signal] ?? `was killed by signal ${signal}`
}

export type Verdict = { restarts: Restarts; isGivenUp: boolean }

/** After an end that nobody asked for. `hasServed`: this configuration has loaded before. */
export function afterFailure(
  before: Restarts,
  { cause, now, hasServed }: { cause: string; now: number; hasServed: boolean },
): Verdict {
  const wasSteady = before.loadedAt !== undefined && now - before.loadedAt >= steadyAfter
  const failures = wasSteady ? 1 : before.failures + 1
  const isGivenUp = !hasServed && failures >= attemptsToLoad
  const next = now + pauseAfter(failures) * 1000
  return {
    // Who starts it by hand after that has all attempts again.
    restarts: { failures: isGivenUp ? 0 : failures, endedAt: now, next: isGivenUp ? now : next, cause },
    isGivenUp,
  }
}

/** Bytes a second of the slowest disk that a model is loaded from. */
const slowestDisk = 10_000_000
/** Seconds that a load may take besides reading. */
const loadOverhead = 600

/** Seconds after which a load of so many bytes has hung: none that goes on takes so long. */
export const loadTimeout = (bytes: number): number => loadOverhead + Math.ceil(bytes / slowestDisk)
