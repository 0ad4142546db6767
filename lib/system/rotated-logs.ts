/** Reads a log together with its rotated files, as logrotate names them: `log`, `log.1`, `log.2.gz`. */
import { createReadStream } from 'node:fs'
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
 * The complete lines of a log's files since then, and some before. What cannot be read, such as the rest of a damaged
 * archive, is passed to `damaged` and skipped.
 */
export async function* linesSince(
  host: LogFolder,
  log: string,
  since: Date,
  damaged: (problem: string) => void,
): AsyncGenerator<string> {
  for (const path of rotatedFiles(host, log, since)) {
    try {
      yield* linesIn(host.files.at(path), path.endsWith('.gz'))
    } catch (error) {
      damaged(`${path} could not be read to its end: ${reasonOf(error as Error)}`)
    }
  }
}

async function* linesIn(file: string, isCompressed: boolean): AsyncGenerator<string> {
  const source = createReadStream(file)
  const input = isCompressed ? source.pipe(createGunzip()) : source
  source.on('error', error => input.destroy(error))
  let rest = ''
  // Complete lines are ASCII: a chunk may end anywhere.
  for await (const chunk of input.setEncoding('latin1')) {
    const lines = (rest + (chunk as string)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
