/** What failed system calls mean, in words, and how to fix them. */
import { dirname } from 'node:path'
import { getSystemErrorMap } from 'node:util'

/** Why a system call failed, as the C library tells it: without the call and its file's temporary name. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  // By its name: rmSync's errors have numbers of their own, and some of them no name.
  const known = [...getSystemErrorMap().values()].find(([name]) => name === code)
  return known?.[1] ?? message.replace(/^, Unknown error: /, '')
}

/** What to do where a file could not be written. */
function fixFor(path: string, code: string | undefined): string {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `free space there (df -h ${dirname(path)})`
    case 'EROFS':
      return 'mount its file system writable (journalctl -k says why it is not)'
    case 'EACCES':
    case 'EPERM':
      return process.getuid?.() === 0
        ? 'remove what protects it (lsattr, mount options, the sandbox of a unit)'
        : 'run this as root'
    case 'EISDIR':
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
      return 'move what is in its place'
    default:
      return 'correct that'
  }
}

/** Runs what writes a file. Throws which one it is, why it could not be written, and what to do. */
export function writing<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    const fix = fixFor(path, (error as NodeJS.ErrnoException).code)
    const message = `${path} could not be written: ${reasonOf(error)}. It is unchanged. Fix: ${fix}, then run this again.`
    throw new Error(message, { cause: error })
  }
}
