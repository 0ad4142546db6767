/** Mutual exclusion by a lock on a file, which the kernel releases however its holder ends. */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
} from 'node:fs'
import { dirname } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Files } from './files.ts'
import { $, type Shell } from './shell.ts'

/** Milliseconds to wait for the lock before `onWait` is called. */
const quietWait = 2000

const isOurs = ({ uid }: Stats) => uid === process.getuid?.()
const isForOthers = ({ mode }: Stats) => (mode & 0o077) !== 0

/**
 * Creates the lock file so that only this user can open it: anyone able to read a file can lock it
 * (flock(2)), and never release it. A file that others could open is replaced, since they may still have it
 * open.
 */
function makeLock(path: string): void {
  const folder = dirname(path)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const found = lstatSync(folder)
  if (!found.isDirectory() || !isOurs(found)) throw new Error(`${folder} is not a folder owned by this user`)
  if (isForOthers(found)) chmodSync(folder, 0o700)

  const present = lstatSync(path, { throwIfNoEntry: false })
  const isGood = present?.isFile() === true && isOurs(present) && !isForOthers(present) && !isForOthers(found)
  if (present !== undefined && !isGood) rmSync(path, { recursive: true })
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  const isAlone = !isForOthers(fstatSync(file))
  closeSync(file)
  if (!isAlone) throw new Error(`${path} can be opened by others`)
}

/**
 * Runs an action while holding an exclusive lock on a file, within this process and across processes; calls
 * `onWait` once if it has to wait. Only this user has access to the file and its folder, which holds nothing
 * but locks.
 */
export async function withLock<T>(path: string, onWait: () => void, action: () => Promise<T>): Promise<T> {
  try {
    makeLock(path)
  } catch (error) {
    throw new Error(`The lock ${path} could not be created: ${(error as Error).message}`, { cause: error })
  }
  // flock(1) holds the lock while its `cat` runs, which ends with its input: at the latest when this process
  // does.
  const input = new PassThrough()
  const { promise: isHeld, resolve: onLine } = Promise.withResolvers<unknown>()
  const holder = $({ input, onLine })`flock --exclusive ${path} sh -c 'echo held && exec cat'`.nothrow()
  const timer = setTimeout(onWait, quietWait)
  try {
    await Promise.race([isHeld, holder.then(refused(path))])
    clearTimeout(timer)
    return await action()
  } finally {
    clearTimeout(timer)
    input.end()
    await holder
  }
}

const refused = (path: string) => () => {
  throw new Error(`flock(1) did not lock ${path}`)
}

/** Whether the lock is held at the moment. */
export async function isLocked(
  { files, query }: { files: Files; query: Shell },
  path: string,
): Promise<boolean> {
  if (files.status(path) === undefined) return false
  return (await query`flock --shared --nonblock ${files.at(path)} true`.nothrow()).exitCode !== 0
}
