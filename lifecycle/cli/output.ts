/** Handles output that cannot be written: a closed pipe, a full disk, a closed terminal. */
import { reasonOf } from '../../lib/system/failures.ts'

/** The exit code of a program that SIGPIPE ends, as a shell tells it; Node ignores that signal. */
const closedPipe = 141

type Process = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'on'> & { exit(code: number): void }

/**
 * A report ends with its reader, in silence, or with an error where the disk is full. A stage ends what it has begun:
 * its log file has every line, and whoever is on its terminal may leave.
 */
export function guardOutput({ isStage }: { isStage: boolean }, process: Process): void {
  // Nobody is left to be told.
  process.stderr.on('error', () => {})
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' || isStage)
      process.stderr.write(`slm-copilot: could not write to standard output: ${reasonOf(error)}.\n`)
    if (!isStage) process.exit(error.code === 'EPIPE' ? closedPipe : 1)
  })
  if (isStage) process.on('SIGHUP', () => {})
}
