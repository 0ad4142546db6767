/** Files that are too large to read at once, and free disk space. Paths are absolute on this machine. */
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fsyncSync, openSync, statfsSync } from 'node:fs'

/** `onProgress` is called with the bytes read so far. */
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

/** Bytes that are free for all on the disk of a folder. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** Waits until what others have written to a file is on its disk. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r+')
  fsyncSync(file)
  closeSync(file)
}

/** `9.0 MB`, `14.3 GB`. */
export const readable = (bytes: number) =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
