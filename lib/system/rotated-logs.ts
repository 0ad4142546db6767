/** Reads a log together with its rotated files, as logrotate names them: `log`, `log.1`, `log.2.gz`. */
import { createReadStream, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { createGunzip } from 'node:zlib'
import { reasonOf } from './failures.ts'
import type { Host } from './host.ts'

type LogFolder = Pick<Host, 'files'>

const rotationOf = (name: string) => Number(/\.(\d+)(?:\.gz)?$/.exec(name)?.[1] ?? 0)

/** The files of a log that were written to since then, the oldest first. */
function rotatedFiles({ files }: LogFolder, log: string, since: Date): string[] {
  const folder = dirname(log)
  const isPart = (name: string) =>
    name.startsWith(basename(log)) && /^(\.\d+(\.gz)?)?$/.test(name.slice(basename(log).length))
  return files
    .list(folder)
    .filter(isPart)
    .toSorted((a, b) => rotationOf(b) - rotationOf(a))
    .map(name => `${folder}/${name}`)
    .filter(path => (files.status(path)?.modifiedAt ?? since) >= since)
}

/**
 * The complete lines of a log's files since then, and some before, many at a time. What cannot be read, such as the
 * rest of a damaged archive, is reported to `damaged` and skipped.
 */
export async function* linesSince(
  host: LogFolder,
  log: string,
  since: Date,
  damaged: (problem: string) => void,
): AsyncGenerator<string[]> {
  for (const path of rotatedFiles(host, log, since)) {
    try {
      yield* linesIn(host.files.at(path), path.endsWith('.gz'))
    } catch (error) {
      damaged(`${path} could not be read to its end: ${reasonOf(error as Error)}`)
    }
  }
}

async function* linesIn(file: string, isCompressed: boolean): AsyncGenerator<string[]> {
  const source = createReadStream(file)
  const input = isCompressed ? source.pipe(createGunzip()) : source
  source.on('error', error => input.destroy(error))
  let rest = ''
  // Complete lines are ASCII: a chunk may end anywhere.
  for await (const chunk of input.setEncoding('latin1')) {
    const lines = (rest + (chunk as string)).split('\n')
    rest = lines.pop() ?? ''
    yield lines
  }
}

/** How far a log has been read: which file, and how many bytes of it. */
export type LogPosition = { inode: number; offset: number }

/** The lines that were added since a position, and the new position. Without one, all lines of the current file. */
export function linesAfter(
  { files }: LogFolder,
  log: string,
  before: LogPosition | undefined,
): { lines: string[]; position: LogPosition | undefined } {
  const current = files.status(log)
  if (current === undefined) return { lines: [], position: before }
  const isSame = before?.inode === current.inode && before.offset <= current.size
  const rotated = before !== undefined && !isSame && files.status(`${log}.1`)?.inode === before.inode
  const earlier = rotated ? wholeLines(files.at(`${log}.1`), before.offset) : undefined
  const start = isSame ? before.offset : 0
  const { lines, length } = wholeLines(files.at(log), start)
  return {
    lines: [...(earlier?.lines ?? []), ...lines],
    position: { inode: current.inode, offset: start + length },
  }
}

/** The complete lines of a file from a byte on, and their length in bytes. */
function wholeLines(file: string, from: number): { lines: string[]; length: number } {
  const bytes = readFileSync(file).subarray(from)
  const length = bytes.lastIndexOf('\n') + 1
  return { lines: bytes.subarray(0, length).toString('latin1').split('\n').slice(0, -1), length }
}
