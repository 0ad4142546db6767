/** Files too large to read whole, and the disk that they need. Paths are the machine's own. */
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fsyncSync, openSync, statfsSync } from 'node:fs'

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 4 << 20 })) hash.update(chunk)
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
