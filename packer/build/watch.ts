/** Supervises a child process: whether it is running, its output, and how it ended. */
import type { ChildProcess } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'

export type WatchedProcess = {
  pid: number | undefined
  /** Its output so far, on both streams. */
  output: () => string
  runs: () => boolean
  /** Polls until `isReady` returns true. Rejects with the child's output if it ends before that. */
  until: (isReady: () => Promise<boolean>) => Promise<void>
  signal: (name: NodeJS.Signals) => void
  /** Ends the child, and resolves once it is gone. */
  stop: () => Promise<void>
}

/**
 * Milliseconds between SIGTERM and SIGKILL. llama-server's SIGTERM handler takes the lock of its queue; if the
 * interrupted thread holds it, which is common during a generation, the process deadlocks.
 */
const terminationGrace = 3000

/** Supervises a child that has just been started. It is stopped when this process exits, unless that is killed. */
export function watch(child: ChildProcess): WatchedProcess {
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
