/** One at a time: an exclusive lock on a file, which the kernel frees however its holder ends. */
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

/** Milliseconds that a wait for the lock goes unmentioned. */
const quietWait = 2000

const isOurs = ({ uid }: Stats) => uid === process.getuid?.()
const isForOthers = ({ mode }: Stats) => (mode & 0o077) !== 0

/**
 * Makes sure that nobody else can open the lock: whoever can read a file can lock it (flock(2)), and hold it for ever.
 * One that others may have opened already is replaced, since they keep what they have opened.
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
 * Runs an action while no other that locks the same file runs, in this process or another; `onWait` is called once where
 * it has to wait. The file and its folder, which holds nothing but locks, are this user's alone.
 */
export async function withLock<T>(path: string, onWait: () => void, action: () => Promise<T>): Promise<T> {
  try {
    makeLock(path)
  } catch (error) {
    throw new Error(`The lock ${path} could not be created: ${(error as Error).message}`, { cause: error })
  }
  // flock(1) holds the lock as long as its `cat` runs, and that runs until its input ends: at the latest with us.
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

/** Whether somebody holds the lock now. */
export async function isLocked(
  { files, query }: { files: Files; query: Shell },
  path: string,
): Promise<boolean> {
  if (files.status(path) === undefined) return false
  return (await query`flock --shared --nonblock ${files.at(path)} true`.nothrow()).exitCode !== 0
}
