/** Downloads with curl, resumed and retried. A file appears under its name only once its SHA-256 is verified. */
import { basename, dirname } from 'node:path'
import type { Host } from './host.ts'
import { readable, sha256Of, syncFile } from './large-files.ts'
import {
  type Act,
  fetchRest,
  type Limits,
  partOf,
  type Source,
  type TransferProgress,
} from './partial-file.ts'
import { isProven, type Provable, recordProof, removeProven } from './verified-files.ts'

export type Download = Provable & Source

export type Progress = TransferProgress | { act: 'verifying'; percent: number }

type OnProgress = (progress: Progress) => void
type Proving = Act<Download> & { onProgress: OnProgress }

/** At 10 kB a second 14 GB take two weeks: whoever sends less holds us up, or has trouble. */
const defaults: Limits = { slowest: 10_000, slowFor: 60, attempts: 5, pause: 5, reportEvery: 10 }

/** What came is not what should have; it is thrown away. */
export class DigestError extends Error {
  /** It was put together from several attempts: a power cut between them may have spoilt it. */
  readonly wasResumed: boolean

  constructor(message: string, wasResumed: boolean) {
    super(message)
    this.wasResumed = wasResumed
  }
}

/**
 * Makes sure that the file is there, downloading what is missing of it; `onProgress` hears of it. Throws when the
 * disk is too small or the server does not send, and keeps what has come; a DigestError when that is not the file.
 */
export async function download(
  host: Host,
  wanted: Download,
  onProgress: OnProgress = () => {},
  limits: Partial<Limits> = {},
): Promise<void> {
  if (isProven(host, wanted)) return
  const act = { host, wanted, onProgress, limits: { ...defaults, ...limits } }
  await host.perform(`download ${wanted.url} to ${wanted.path}`, async () => {
    if (await isSoundAtItsName(act)) return
    host.files.makeFolder(dirname(wanted.path))
    if (!(await fetchAndProve(act, false))) await fetchAndProve(act, true)
  })
}

/** A file that stands there unproven is computed anew, and goes when it is not the one. */
async function isSoundAtItsName(act: Proving): Promise<boolean> {
  const { host, wanted } = act
  const found = host.files.status(wanted.path)
  if (found === undefined) return false
  const isSound =
    found.isFile && found.size === wanted.size && (await digestOf(act, wanted.path)) === wanted.sha256
  if (isSound) {
    recordProof(host, wanted, wanted.path)
    return true
  }
  host.log.warn(`${wanted.path} does not match its SHA-256: it is removed, and downloaded again`)
  removeProven(host, wanted)
  return false
}

/** Downloads the rest and proves the whole. A wrong one is removed; one that was resumed is no error unless it `isLast`. */
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
  // On disk before it is believed: after a power cut it may have the right size and hold zeros.
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
