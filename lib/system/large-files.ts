/** Files too large to read into memory, and free disk space. Paths are real paths, not relative to a root. */
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fsyncSync, openSync, statfsSync } from 'node:fs'

/** Calls `onProgress` with the number of bytes read so far. */
export async function sha256Of(
  path: string,
  onProgress: (bytes: number) => void = () => {},
): Promise<string> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 4 << 20 })) {
    hash.update(chunk)
    bytes += chunk.length
    onProgress(bytes)
  }
  return hash.digest('hex')
}

/** Bytes available to unprivileged users on a folder's disk. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** Flushes a file that another process has written to disk. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r+')
  fsyncSync(file)
  closeSync(file)
}

/** `9.0 MB`, `14.3 GB`. */
export const readable = (bytes: number) =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
