/** Downloads by aria2: several connections, resumed, retried; a file appears at its name only once proven. */
import { basename, dirname } from 'node:path'
import { CommandError } from './commands.ts'
import type { Host } from './host.ts'
import { freeBytes, sha256Of } from './large-files.ts'

export type Download = { url: string /** Bytes. */; size: number; sha256: string; path: string }

/** `rate`: bytes per second as aria2 writes them, e.g. `12MiB`. */
export type Progress = { percent: number; rate: string; secondsLeft?: number | undefined }

/** What came is not what should have; it is thrown away. */
export class DigestError extends Error {
  /** It was put together from several attempts: a power cut between them may have spoilt it. */
  readonly wasResumed: boolean

  constructor(message: string, wasResumed: boolean) {
    super(message)
    this.wasResumed = wasResumed
  }
}

/** Bytes to leave free on the disk, for logs and what the system writes. */
const spare = 500_000_000

export const readable = (bytes: number) =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`

/** aria2's options: aria2c(1). */
const aria2 = (download: Download, folder: string, partial: string) => [
  'aria2c',
  '--no-conf',
  '--continue=true',
  '--max-connection-per-server=8',
  '--split=8',
  '--min-split-size=16M',
  '--max-tries=20',
  '--retry-wait=5',
  '--connect-timeout=30',
  '--timeout=60',
  '--file-allocation=falloc',
  '--auto-file-renaming=false',
  '--allow-overwrite=true',
  // A line every ten seconds, not every second besides.
  '--show-console-readout=false',
  '--summary-interval=10',
  // Seconds; by default a download that is killed in its first minute starts over.
  '--auto-save-interval=5',
  '--console-log-level=warn',
  `--dir=${folder}`,
  `--out=${partial}`,
  download.url,
]

/** What a line of aria2's says of its progress; undefined for its other lines. */
export function progressOf(line: string): Progress | undefined {
  const match = line.match(/\((\d+)%\).*?DL:(\S+?)(?: ETA:(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?)?\]/)
  if (match === null) return undefined
  const [, percent, rate = '', ...eta] = match
  const [hours = 0, minutes = 0, seconds = 0] = eta.map(part => Number(part ?? 0))
  const secondsLeft = (hours * 60 + minutes) * 60 + seconds
  return { percent: Number(percent), rate, ...(eta.some(Boolean) && { secondsLeft }) }
}

/** What aria2's exit codes say, aria2c(1), EXIT STATUS. */
const exitCodes: Record<number, string> = {
  1: 'aria2 does not say why: perhaps nobody listens there',
  2: 'the server stopped sending',
  3: 'the server has no such file',
  5: 'the server sent too slowly',
  6: 'there is no connection to the server',
  8: 'the server cannot resume it',
  9: 'the disk is full',
  19: "the server's name is not known",
  22: "the server's answer is no file",
  24: 'the server wants a password',
}

const reasonOf = ({ answer: { code } }: CommandError) =>
  exitCodes[code] ??
  (code > 128 ? `aria2 was ended by signal ${code - 128}` : `aria2 ended with code ${code}`)

/** Throws when the disk has no room for what is missing of a download, and some to spare. */
function checkDisk(host: Host, { path, size }: Download, folder: string, got: number) {
  const free = freeBytes(host.files.at(folder))
  const missing = size - got + spare
  if (free >= missing) return
  throw new Error(
    `${path} needs ${readable(missing)} more, and its disk has ${readable(free)} left: enlarge the disk.`,
  )
}

/** Whether a download stands, proven, at its name. */
export const isDownloaded = (host: Host, { path, size }: Pick<Download, 'path' | 'size'>): boolean =>
  host.files.status(path)?.size === size

/**
 * Makes sure that the file is there, downloading what is missing of it; `tell` hears how far it is. Throws when the
 * disk is too small or the server does not send, and keeps what has come; a DigestError when that is not the file.
 */
export async function download(
  host: Host,
  wanted: Download,
  tell: (progress: Progress) => void = () => {},
): Promise<void> {
  if (isDownloaded(host, wanted)) return
  const folder = dirname(wanted.path)
  const partial = `${basename(wanted.path)}.part`
  const partialPath = `${folder}/${partial}`
  const got = host.files.status(partialPath)?.size ?? 0
  host.log.info(
    `Downloading ${wanted.url} (${readable(wanted.size)})${got > 0 ? ', as far as it is missing' : ''}`,
  )
  if (!host.isLive) {
    await host.run(aria2(wanted, folder, partial))
    return
  }
  host.files.makeFolder(folder)
  checkDisk(host, wanted, folder, got)

  const onLine = (line: string) => {
    const progress = progressOf(line)
    if (progress === undefined) return
    const { percent, rate, secondsLeft } = progress
    const left = secondsLeft === undefined ? '' : `, ${secondsLeft} s left`
    host.log.info(`${percent}% of ${readable(wanted.size)}, ${rate}/s${left}`)
    tell(progress)
  }
  try {
    await host.run(aria2(wanted, host.files.at(folder), partial), { onLine })
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new Error(`${wanted.url} did not come: ${reasonOf(error)}. What has come is kept.`, {
      cause: error,
    })
  }
  host.log.info(`Checking SHA-256 of ${basename(wanted.path)}`)
  const sha256 = await sha256Of(host.files.at(partialPath))
  if (sha256 !== wanted.sha256) {
    host.files.remove(partialPath)
    host.files.remove(`${partialPath}.aria2`)
    throw new DigestError(
      `${wanted.url} is not what it should be: SHA-256 ${sha256}, expected ${wanted.sha256}. ` +
        'Try again; if it stays so, the address or the digest is wrong.',
      got > 0,
    )
  }
  host.files.setMode(partialPath, 0o644)
  host.files.rename(partialPath, wanted.path)
}
