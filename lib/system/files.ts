/** Reads files, and replaces them atomically. Synchronous: a stage does one thing after another. */
import {
  chmodSync,
  closeSync,
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
import { dirname, join } from 'node:path'
import { writing } from './failures.ts'

/** What `read` gives where nothing stands. Other failures are errors. */
function unlessAbsent<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    // ESRCH: a file of /proc whose process ended while it was read.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESRCH') return undefined
    throw error
  }
}

/** Not mkdirSync's own recursion: on a read-only file system that says that nothing is there. */
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
  /** Of its content. */
  modifiedAt: Date
  /** Of its content or of its status: mode, owner, name. */
  changedAt: Date
}

/** The files under a root folder; paths are given as they are without it. */
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

  /** Has something made beside its place, and renames it there; what stood there stays until then. */
  const putInPlace = (path: string, make: (temporary: string) => void) => {
    makeFolder(dirname(path))
    const temporary = `${at(path)}.new`
    writing(path, () => {
      try {
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
    /** Changes are left out: a dry run's. */
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
    /** Writes a file whole: a temporary one beside it, synced, renamed over it, its folder synced. Throws when it can't, and leaves what was there. */
    replace: (path: string, text: string, mode: number) =>
      putInPlace(path, temporary => {
        const file = openSync(temporary, 'wx', 0o600)
        try {
          // Not writeSync: on a disk that is nearly full that writes a part, and calls it a success.
          writeFileSync(file, text)
          fchmodSync(file, mode)
          fsyncSync(file)
        } finally {
          closeSync(file)
        }
      }),
    /** Points a symbolic link at a target in one step. */
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
