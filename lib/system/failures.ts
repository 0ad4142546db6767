/** Error messages for failed system calls, and how to fix the cause. */
import { dirname } from 'node:path'
import { getSystemErrorMap } from 'node:util'

/** Why a system call failed, in the C library's words, without the call and its temporary file name. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  // Looked up by name: rmSync uses its own error numbers, some of them without a name.
  const known = [...getSystemErrorMap().values()].find(([name]) => name === code)
  return known?.[1] ?? message.replace(/^, Unknown error: /, '')
}

/** What to do when a file cannot be written. */
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

/** Runs an action that writes a file; its errors then name the file, the reason and the fix. */
export function writing<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    const fix = fixFor(path, (error as NodeJS.ErrnoException).code)
    const message = `${path} could not be written: ${reasonOf(error)}. It is unchanged. Fix: ${fix}, then run this again.`
    throw new Error(message, { cause: error })
  }
}
