/** Reads files, and replaces them atomically. Synchronous, since a stage does one thing at a time. */
import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { writing } from './failures.ts'

/** The result of `read`, or undefined if the file does not exist. Other failures are errors. */
function unlessAbsent<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    // ESRCH: a file under /proc whose process ended during the read.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESRCH') return undefined
    throw error
  }
}

/** Recursive mkdir. mkdirSync's own recursion reports ENOENT instead of EROFS on a read-only file system. */
function makeFolders(path: string) {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  makeFolders(dirname(path))
  mkdirSync(path, 0o755)
}

export type FileStatus = {
  mode: number
  size: number
  inode: number
  isFile: boolean
  isFolder: boolean
  isLink: boolean
  /** mtime: last change of the content. */
  modifiedAt: Date
  /** ctime: last change of content, mode, owner or name. */
  changedAt: Date
}

/** The files under a root folder; paths are given relative to that root, as absolute paths. */
export type Files = ReturnType<typeof filesUnder>

export function filesUnder(root: string) {
  const at = (path: string) => join(root, path)

  const syncFolder = (path: string) => {
    const folder = openSync(path, 'r')
    fsyncSync(folder)
    closeSync(folder)
  }

  const makeFolder = (path: string, mode?: number) =>
    writing(path, () => {
      makeFolders(at(path))
      if (mode !== undefined) chmodSync(at(path), mode)
    })

  /** Removes what killed processes have left behind while they replaced this file. */
  const removeLeftovers = (path: string) => {
    const folder = dirname(at(path))
    for (const name of readdirSync(folder)) {
      const pid = /\.(\d+)\.new$/.exec(name)?.[1]
      if (name === `${basename(path)}.${pid}.new` && !existsSync(`/proc/${pid}`))
        rmSync(join(folder, name), { force: true })
    }
  }

  /**
   * Creates a temporary file or link with `make`, and renames it to `path`, which stays untouched until then. Its name is
   * this process's own: another may be replacing the same file.
   */
  const putInPlace = (path: string, make: (temporary: string) => void) => {
    makeFolder(dirname(path))
    const temporary = `${at(path)}.${process.pid}.new`
    writing(path, () => {
      try {
        removeLeftovers(path)
        rmSync(temporary, { force: true })
        make(temporary)
        renameSync(temporary, at(path))
        syncFolder(dirname(at(path)))
      } catch (error) {
        rmSync(temporary, { force: true })
        throw error
      }
    })
  }

  return {
    /** True in a dry run, where changes are skipped. */
    isReadOnly: false,
    at,
    read: (path: string) => unlessAbsent(() => readFileSync(at(path), 'utf8')),
    list: (path: string) => unlessAbsent(() => readdirSync(at(path))) ?? [],
    target: (path: string) =>
      unlessAbsent(() => (lstatSync(at(path)).isSymbolicLink() ? readlinkSync(at(path)) : undefined)),
    status: (path: string): FileStatus | undefined =>
      unlessAbsent(() => {
        const found = lstatSync(at(path))
        const { size, ino: inode, mtime: modifiedAt, ctime: changedAt } = found
        const kind = {
          isFile: found.isFile(),
          isFolder: found.isDirectory(),
          isLink: found.isSymbolicLink(),
        }
        return { mode: found.mode & 0o7777, size, inode, ...kind, modifiedAt, changedAt }
      }),
    makeFolder,
    /**
     * Replaces a file atomically and durably: a temporary file is written, synced and renamed, and the folder
     * synced. If that fails it throws, and the old file stays.
     */
    replace: (path: string, text: string, mode: number) =>
      putInPlace(path, temporary => {
        const file = openSync(temporary, 'wx', 0o600)
        try {
          // Not writeSync, which on a nearly full disk writes only a part without an error.
          writeFileSync(file, text)
          fchmodSync(file, mode)
          fsyncSync(file)
        } finally {
          closeSync(file)
        }
      }),
    /** Points a symbolic link to a target atomically. */
    replaceLink: (path: string, target: string) =>
      putInPlace(path, temporary => symlinkSync(target, temporary)),
    setMode: (path: string, mode: number) => writing(path, () => chmodSync(at(path), mode)),
    rename: (from: string, to: string) =>
      writing(to, () => {
        renameSync(at(from), at(to))
        syncFolder(dirname(at(to)))
      }),
    remove: (path: string) => writing(path, () => rmSync(at(path), { recursive: true, force: true })),
  }
}
