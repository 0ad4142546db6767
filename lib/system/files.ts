/** Files as a stage needs them: read if there, replaced whole. Synchronous: a stage does one thing after another. */
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
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

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

export type FileStatus = {
  mode: number
  size: number
  inode: number
  isFile: boolean
  isFolder: boolean
  isLink: boolean
  /** Of its content. */
  modifiedAt: Date
  /** Of its content or of what is told here. */
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

  const makeFolder = (path: string, mode?: number) => {
    mkdirSync(at(path), { recursive: true, mode: 0o755 })
    if (mode !== undefined) chmodSync(at(path), mode)
  }

  return {
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
    replace: (path: string, text: string, mode: number) => {
      makeFolder(dirname(path))
      const temporary = `${at(path)}.new`
      rmSync(temporary, { force: true })
      try {
        const file = openSync(temporary, 'wx', 0o600)
        // Not writeSync: on a disk that is nearly full that writes a part, and calls it a success.
        writeFileSync(file, text)
        fchmodSync(file, mode)
        fsyncSync(file)
        closeSync(file)
        renameSync(temporary, at(path))
        syncFolder(dirname(at(path)))
      } catch (error) {
        rmSync(temporary, { force: true })
        throw new Error(
          `${path} could not be written: ${(error as Error).message}. Mend that, and run this again.`,
          { cause: error },
        )
      }
    },
    /** Points a symbolic link at a target in one step. */
    replaceLink: (path: string, target: string) => {
      makeFolder(dirname(path))
      const temporary = `${at(path)}.new`
      rmSync(temporary, { force: true })
      symlinkSync(target, temporary)
      renameSync(temporary, at(path))
      syncFolder(dirname(at(path)))
    },
    setMode: (path: string, mode: number) => chmodSync(at(path), mode),
    rename: (from: string, to: string) => {
      renameSync(at(from), at(to))
      syncFolder(dirname(at(to)))
    },
    remove: (path: string) => rmSync(at(path), { recursive: true, force: true }),
  }
}
