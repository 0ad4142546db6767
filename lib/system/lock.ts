/** One at a time: an exclusive lock on a file, which the kernel frees however its holder ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { childEnvironment } from './commands.ts'

/** Milliseconds after which somebody who waits says so. */
const patience = 2000

/**
 * Runs an act while no other that locks the same file runs, in this process or another; `waiting` is told once where
 * it has to wait. The folder must be there.
 */
export async function alone<T>(path: string, waiting: () => void, act: () => Promise<T>): Promise<T> {
  // flock(1) holds the lock as long as its `cat` runs, and that runs until its input ends: at the latest with us.
  const holder = spawn('flock', ['--exclusive', path, 'sh', '-c', 'echo held && exec cat'], {
    env: childEnvironment,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const ended = once(holder, 'exit')
  const timer = setTimeout(waiting, patience)
  try {
    await Promise.race([once(holder.stdout, 'data'), ended.then(refused(path))])
    clearTimeout(timer)
    return await act()
  } finally {
    clearTimeout(timer)
    holder.stdin.end()
    await ended
  }
}

const refused = (path: string) => () => {
  throw new Error(`flock(1) did not lock ${path}`)
}
