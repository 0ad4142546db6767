/** Restart policy for llama-server: an increasing delay, and giving up on a model that never loads. */
import * as z from 'zod'
import { backOff } from '../back-off.ts'

/** Times are in seconds since boot: the clock may be set. */
export const restartsSchema = z.strictObject({
  /** Consecutive unexpected exits. */
  failures: z.int().min(0),
  /** When the last one happened, and when the server may start again. */
  endedAt: z.number(),
  next: z.number(),
  /** What happened, worded to follow "llama-server". */
  cause: z.string(),
  /** When the current run was first seen with its model loaded. */
  loadedAt: z.number().optional(),
  /** Why the watchdog stopped it, worded like `cause`. */
  endedFor: z.string().optional(),
})

export type Restarts = z.infer<typeof restartsSchema>

export const noRestarts: Restarts = { failures: 0, endedAt: 0, next: 0, cause: '' }

/** Attempts to load a model that has never loaded: two minutes of pauses, plus the attempts themselves. */
export const attemptsToLoad = 8
/** Seconds: the longest pause, shorter than systemd's start timeout of 90. */
const longestPause = 60
/** Seconds: after serving this long, earlier failures no longer count. */
const steadyAfter = 600

/** Seconds until the next start: 1, 2, 4 …, at most a minute. */
export const pauseAfter = (failures: number): number => backOff(failures, 1, longestPause)

/** How systemd reports a service's exit (systemd.exec(5), $SERVICE_RESULT). */
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

/** What happened, worded to follow "llama-server". */
export function causeOf({ result, exitCode, exitStatus }: ServiceEnd): string {
  const known = results[result ?? '']
  if (known !== undefined) return known
  if (exitCode === 'exited') return `exited with code ${exitStatus}`
  const signal = exitStatus ?? 'unknown'
  return signals[signal] ?? `was killed by signal ${signal}`
}

export type RestartVerdict = { restarts: Restarts; isGivenUp: boolean }

/** What to do after an unexpected exit. `now`: seconds since boot. `hasServed`: this configuration has loaded before. */
export function afterFailure(
  before: Restarts,
  { cause, now, hasServed }: { cause: string; now: number; hasServed: boolean },
): RestartVerdict {
  const wasSteady = before.loadedAt !== undefined && now - before.loadedAt >= steadyAfter
  const failures = wasSteady ? 1 : before.failures + 1
  const isGivenUp = !hasServed && failures >= attemptsToLoad
  const next = now + pauseAfter(failures)
  return {
    // A start by hand afterwards gets the full number of attempts.
    restarts: { failures: isGivenUp ? 0 : failures, endedAt: now, next: isGivenUp ? now : next, cause },
    isGivenUp,
  }
}

/** Bytes per second of the slowest disk that a model is loaded from. */
const slowestDisk = 10_000_000
/** Seconds that loading may take besides reading the file. */
const loadOverhead = 600

/** Seconds after which loading this many bytes counts as hung. */
export const loadTimeout = (bytes: number): number => loadOverhead + Math.ceil(bytes / slowestDisk)
