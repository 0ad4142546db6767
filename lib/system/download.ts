/** Downloads by aria2: several connections, resumed, retried; a file appears at its name only once proven. */
import { basename, dirname } from 'node:path'
import type { Host } from './host.ts'
import { freeBytes, sha256Of } from './large-files.ts'

export type Download = { url: string /** Bytes. */; size: number; sha256: string; path: string }

const readable = (bytes: number) =>
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
  '--summary-interval=10',
  '--console-log-level=warn',
  `--dir=${folder}`,
  `--out=${partial}`,
  download.url,
]

/** A line of aria2's progress in fewer words: `40% of 14.3 GB, 12MiB/s, 11m5s left`; undefined for its other lines. */
export function progressOf(line: string, size: number): string | undefined {
  const match = line.match(/\((\d+)%\).*?DL:(\S+?)(?: ETA:(\S+?))?\]/)
  if (match === null) return undefined
  const [, percent, rate, left] = match
  return `${percent}% of ${readable(size)}, ${rate}/s${left === undefined ? '' : `, ${left} left`}`
}

/** Throws when the disk has no room for what is missing of a download. */
function checkDisk(host: Host, { path, size }: Download, folder: string, got: number) {
  const free = freeBytes(host.files.at(folder))
  if (free >= size - got) return
  throw new Error(
    `${path} takes ${readable(size)}, and its disk has ${readable(free)} left: enlarge the disk.`,
  )
}

/**
 * Makes sure that the file is there, downloading what is missing of it. Throws when the disk is too small,
 * the server does not answer, or the digest differs; what was downloaded so far is kept in all but the last case.
 */
export async function download(host: Host, wanted: Download): Promise<void> {
  if (host.files.status(wanted.path)?.size === wanted.size) return
  const folder = dirname(wanted.path)
  const partial = `${basename(wanted.path)}.part`
  const partialPath = `${folder}/${partial}`
  host.log.info(`Downloading ${wanted.url} (${readable(wanted.size)})`)
  if (!host.isLive) {
    await host.run(aria2(wanted, folder, partial))
    return
  }
  host.files.makeFolder(folder)
  checkDisk(host, wanted, folder, host.files.status(partialPath)?.size ?? 0)

  const onLine = (line: string) => {
    const progress = progressOf(line, wanted.size)
    if (progress !== undefined) host.log.info(progress)
  }
  await host.run(aria2(wanted, folder, partial), { onLine })
  host.log.info(`Checking SHA-256 of ${basename(wanted.path)}`)
  const sha256 = await sha256Of(host.files.at(partialPath))
  if (sha256 !== wanted.sha256) {
    host.files.remove(partialPath)
    host.files.remove(`${partialPath}.aria2`)
    throw new Error(
      `${wanted.url} is not what it should be: SHA-256 ${sha256}, expected ${wanted.sha256}.\n` +
        'Run install again; if it stays so, the address or the digest in the release is wrong.',
    )
  }
  host.files.setMode(partialPath, 0o644)
  host.files.rename(partialPath, wanted.path)
}
