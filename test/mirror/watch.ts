/** Supervises a child process: whether it is running, its output, and when it ended. */
import type { ChildProcess } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'

export type Watched = {
  pid: number | undefined
  /** What it has said so far. */
  output: () => string
  runs: () => boolean
  /** Waits until `isReady` says so. Rejects with what the child said if it ends before that. */
  until: (isReady: () => Promise<boolean>) => Promise<void>
  signal: (name: NodeJS.Signals) => void
  /** Ends the child, and resolves once it is gone. */
  stop: () => Promise<void>
}

/**
 * Milliseconds from asking a child to end until it is made to. llama-server's handler of SIGTERM takes the lock of its
 * queue; where the thread that it interrupts holds it, as it often does while it generates, both wait for ever.
 */
const terminationGrace = 10_000

/** Watches a child from its start. It ends with this process at the latest, unless that is killed. */
export function watch(child: ChildProcess): Watched {
  const terminate = () => child.kill('SIGTERM')
  process.once('exit', terminate)
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said += chunk
    })

  let isRunning = true
  const ended = new Promise<void>(resolve => {
    child.once('close', (code, signal) => {
      said += `\n(ended with ${signal ?? `exit code ${code}`})`
      resolve()
    })
    child.once('error', error => {
      said += error.message
      resolve()
    })
  }).then(() => {
    isRunning = false
    process.off('exit', terminate)
  })

  return {
    pid: child.pid,
    output: () => said,
    runs: () => isRunning,
    until: async isReady => {
      while (isRunning && !(await isReady())) await setTimeout(20)
      if (!isRunning) throw new Error(`${child.spawnfile} ended before it was ready:\n${said}`)
    },
    signal: name => {
      child.kill(name)
    },
    stop: async () => {
      terminate()
      await Promise.race([ended, setTimeout(terminationGrace, undefined, { ref: false })])
      if (isRunning) child.kill('SIGKILL')
      await ended
    },
  }
}
