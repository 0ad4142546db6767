/** Handles output that cannot be written: a closed pipe, a full disk, a closed terminal. */
import { reasonOf } from '../../lib/system/failures.ts'

/** The exit code that a shell reports for a program ended by SIGPIPE, a signal that Node ignores. */
const closedPipe = 141

type OutputProcess = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'on'> & { exit(code: number): void }

/**
 * A command that only prints exits silently when its reader is gone, and with an error if the disk is full. A
 * stage carries on to its end: its log file has every line, and the terminal may be closed.
 */
export function guardOutput({ isStage }: { isStage: boolean }, process: OutputProcess): void {
  // There is no other channel to report it on.
  process.stderr.on('error', () => {})
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' || isStage)
      process.stderr.write(`slm-copilot: could not write to standard output: ${reasonOf(error)}.\n`)
    if (!isStage) process.exit(error.code === 'EPIPE' ? closedPipe : 1)
  })
  if (isStage) process.on('SIGHUP', () => {})
}
