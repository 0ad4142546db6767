/** Downloads with curl, resumed and retried. A file appears under its name only once its SHA-256 is verified. */
import { basename, dirname } from 'node:path'
import type { Host } from './host.ts'
import { readable, sha256Of, syncFile } from './large-files.ts'
import {
  type FileTransfer,
  fetchRest,
  partOf,
  type TransferLimits,
  type TransferProgress,
  type TransferSource,
} from './partial-file.ts'
import { fileAt, isProven, type Provable, recordProof, removeProven } from './verified-files.ts'

export type Download = Provable & TransferSource

export type DownloadProgress = TransferProgress | { act: 'verifying'; percent: number }

type OnProgress = (progress: DownloadProgress) => void
type Proving = FileTransfer<Download> & { onProgress: OnProgress }

/** At 10 kB/s a model of 14 GB takes two weeks: a server slower than that is broken, or stalls on purpose. */
const defaults: TransferLimits = { slowest: 10_000, slowFor: 60, attempts: 5, pause: 5, reportEvery: 10 }

/** The downloaded file has the wrong SHA-256; it has been removed. */
export class DigestError extends Error {
  /** It was assembled from several attempts: a power cut between them may have corrupted it. */
  readonly wasResumed: boolean

  constructor(message: string, wasResumed: boolean) {
    super(message)
    this.wasResumed = wasResumed
  }
}

/** Whether another download would yield the same wrong file: this one arrived whole in a single attempt. */
export const isFinal = (error: unknown): boolean => error instanceof DigestError && !error.wasResumed

/**
 * Ensures that the file exists and is verified, downloading whatever is missing. Throws if the disk is too
 * small or the transfer fails, keeping the partial file for the next attempt; throws a DigestError if the
 * SHA-256 is wrong.
 */
export async function download(
  host: Host,
  wanted: Download,
  onProgress: OnProgress = () => {},
  limits: Partial<TransferLimits> = {},
): Promise<void> {
  if (isProven(host, wanted)) return
  const act = { host, wanted, onProgress, limits: { ...defaults, ...limits } }
  await host.perform(`download ${wanted.url} to ${wanted.path}`, async () => {
    if (await isSoundAtItsName(act)) return
    host.files.makeFolder(dirname(wanted.path))
    if (!(await fetchAndProve(act, false))) await fetchAndProve(act, true)
  })
}

/** Verifies an existing file that has no valid proof, and removes it if its SHA-256 is wrong. */
async function isSoundAtItsName(act: Proving): Promise<boolean> {
  const { host, wanted } = act
  const file = fileAt(host, wanted.path)
  const found = host.files.status(file)
  if (found === undefined) return false
  if (found.isFile && found.size === wanted.size) {
    const sha256 = await digestOf(act, file)
    // Recorded even if it is wrong: a file on another disk stays there, and its digest need not be computed again.
    recordProof(host, { ...wanted, path: file, sha256 }, file)
    if (sha256 === wanted.sha256) return true
  }
  host.log.warn(`${wanted.path} does not match its SHA-256: it is removed, and downloaded again`)
  removeProven(host, wanted)
  return false
}

/**
 * Downloads the rest and verifies the whole file. A file with a wrong SHA-256 is removed; if its download was
 * resumed, that is an error only on the last attempt.
 */
async function fetchAndProve(act: Proving, isLast: boolean): Promise<boolean> {
  const { host, wanted } = act
  const part = partOf(wanted.path)
  const wasResumed = await fetchRest(act)
  const found = await digestOf(act, part)
  if (found !== wanted.sha256) {
    host.files.remove(part)
    const error = wrongDigest(wanted, found, wasResumed)
    if (isLast || !wasResumed) throw error
    host.log.warn(`${error.message} The download had been resumed, so it is repeated from the start.`)
    return false
  }
  host.files.setMode(part, 0o644)
  // Synced before the proof is recorded: after a power cut it might otherwise have the right size but contain
  // zeros.
  syncFile(host.files.at(part))
  recordProof(host, wanted, part)
  host.files.rename(part, wanted.path)
  return true
}

const wrongDigest = ({ url, sha256 }: Download, found: string, wasResumed: boolean) =>
  new DigestError(
    `Download failed: ${url} has SHA-256 ${found}, expected ${sha256}. Check the URL.`,
    wasResumed,
  )

async function digestOf({ host, wanted, onProgress }: Proving, path: string): Promise<string> {
  const { size } = wanted
  host.log.info(`Verifying SHA-256 of ${basename(path)} (${readable(size)})`)
  let reported = -1
  return sha256Of(host.files.at(path), bytes => {
    const percent = Math.floor((100 * bytes) / size)
    if (percent > reported) onProgress({ act: 'verifying', percent })
    reported = percent
  })
}
