/** Completes a partially downloaded file, following redirects, with several requests if necessary. */
import { truncateSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CurlResult,
  curlArguments,
  hasContent,
  headArguments,
  type Pace,
  redirectProblem,
  resultOf,
  type Transfer,
} from './curl.ts'
import type { Host } from './host.ts'
import { freeBytes, readable } from './large-files.ts'

/** A file to download; `size` in bytes. */
export type TransferSource = { url: string; size: number; path: string }

/** `rate`: bytes per second. */
export type TransferProgress = {
  act: 'downloading'
  percent: number
  rate: number
  secondsLeft?: number | undefined
}

/** In seconds. `attempts`: how many in a row may each yield less than 1 % of the file. */
export type TransferLimits = Pace & { attempts: number; pause: number; reportEvery: number }

export type FileTransfer<S extends TransferSource = TransferSource> = {
  host: Host
  wanted: S
  onProgress: (progress: TransferProgress) => void
  limits: TransferLimits
}

/** Bytes to leave free on the disk, for logs and the system. */
const spare = 500_000_000

export const partOf = (path: string) => `${path}.part`

const sizeOfPart = ({ host, wanted }: Pick<FileTransfer, 'host' | 'wanted'>) =>
  host.files.status(partOf(wanted.path))?.size ?? 0

const transferOf = (act: Pick<FileTransfer, 'host' | 'wanted'>, url: string): Transfer => ({
  url,
  output: act.host.files.at(partOf(act.wanted.path)),
  from: sizeOfPart(act),
  size: act.wanted.size,
})

/** Completes the partial file, retrying if necessary. Returns whether the download was resumed. */
export async function fetchRest(act: FileTransfer): Promise<boolean> {
  const { host, wanted, limits } = act
  if (sizeOfPart(act) > wanted.size) host.files.remove(partOf(wanted.path))
  checkDisk(act)
  let wasResumed = sizeOfPart(act) > 0
  let attempts = 0
  while (sizeOfPart(act) < wanted.size) {
    const from = sizeOfPart(act)
    wasResumed = from > 0
    const where = from > 0 ? `, resuming at ${readable(from)}` : ''
    host.log.info(`Downloading ${wanted.url} (${readable(wanted.size)})${where}`)
    const failure = await attempt(act)
    if (failure === undefined) continue
    attempts = sizeOfPart(act) - from < wanted.size / 100 ? attempts + 1 : 1
    if (attempts >= limits.attempts || !failure.isTransient) throw failed(failure)
    host.log.warn(`${failed(failure).message} Next attempt in ${limits.pause} s.`)
    await sleep(limits.pause * 1000)
  }
  return wasResumed
}

type Failure = { reason: string; fix: string; isTransient: boolean }

const failed = ({ reason, fix }: Failure) => new Error(`Download failed: ${reason}. ${fix}`)

/** Throws if the disk has no room for the rest of the download plus the reserve. */
function checkDisk(act: FileTransfer): void {
  const { path, size } = act.wanted
  const free = freeBytes(act.host.files.at(dirname(path)))
  const missing = size - sizeOfPart(act) + spare
  if (free >= missing) return
  throw new Error(
    `${path} needs another ${readable(missing)}, but its disk has only ${readable(free)} free. Enlarge the disk.`,
  )
}

/** Requests the file, following redirects, until some of it arrives. Returns why none did. */
async function attempt(act: FileTransfer): Promise<Failure | undefined> {
  let { url } = act.wanted
  for (let followed = 0; ; followed += 1) {
    const transfer = transferOf(act, url)
    const result = (await redirectAhead(act, transfer)) ?? (await transferred(act, transfer))
    if (result.is === 'failed') return result
    if (result.is === 'wrong file') return discarded(act, result.reason)
    if (result.is === 'done') return shortfall(act, transfer)
    if (result.is === 'not resumable') return startOver(act, transfer)
    const problem = redirectProblem(url, result.to, followed)
    if (problem !== undefined) return { reason: problem, fix: 'Check the URL.', isTransient: false }
    url = result.to
  }
}

async function transferred(act: FileTransfer, transfer: Transfer): Promise<CurlResult> {
  const output = await withProgress(act, () =>
    // prlimit stops a server that never stops sending: before curl 8.4, --max-filesize does not.
    act.host.$`prlimit --fsize=${transfer.size} --core=0 ${curlArguments(transfer, act.limits)}`.nothrow(),
  )
  if (!hasContent(output, transfer.url)) truncatePart(act, transfer)
  return resultOf(output, transfer)
}

/** The redirect of a download to be resumed, if there is one (see `headArguments`). */
async function redirectAhead(
  { host, limits }: FileTransfer,
  transfer: Transfer,
): Promise<CurlResult | undefined> {
  if (transfer.from === 0 || transfer.url.startsWith('file:')) return undefined
  const result = resultOf(await host.query`${headArguments(transfer, limits)}`.nothrow(), transfer)
  return result.is === 'redirect' ? result : undefined
}

/** The failure if the server ended its response before the file was complete. */
function shortfall(act: FileTransfer, { url, from }: Transfer): Failure | undefined {
  const got = sizeOfPart(act)
  if (got >= act.wanted.size) return undefined
  const reason = `${new URL(url).host} sent ${got} of the file's ${act.wanted.size} bytes`
  return from > 0 ? { reason, fix: 'Check the URL.', isTransient: true } : discarded(act, reason)
}

function discarded(act: FileTransfer, reason: string): Failure {
  act.host.files.remove(partOf(act.wanted.path))
  return { reason, fix: 'Check the URL.', isTransient: false }
}

/** Removes the body of an error page or redirect from the partial file. */
function truncatePart(act: FileTransfer, { output, from }: Transfer): void {
  if (from === 0) act.host.files.remove(partOf(act.wanted.path))
  else if (sizeOfPart(act) > from) truncateSync(output, from)
}

function startOver(act: FileTransfer, { url }: Transfer): Failure {
  act.host.files.remove(partOf(act.wanted.path))
  const reason = `${new URL(url).host} cannot resume downloads, so this one starts over`
  return { reason, fix: 'If this happens again, use another server.', isTransient: true }
}

/** Reports progress while the download runs. */
async function withProgress<T>(act: FileTransfer, run: () => Promise<T>): Promise<T> {
  const { host, wanted, onProgress, limits } = act
  let before = sizeOfPart(act)
  const timer = setInterval(() => {
    const got = sizeOfPart(act)
    const rate = Math.max(0, got - before) / limits.reportEvery
    before = got
    const percent = Math.floor((100 * got) / wanted.size)
    const secondsLeft = rate > 0 ? Math.round((wanted.size - got) / rate) : undefined
    const left = secondsLeft === undefined ? '' : `, ${secondsLeft} s left`
    host.log.info(`${percent}% of ${readable(wanted.size)}, ${readable(rate)}/s${left}`)
    onProgress({ act: 'downloading', percent, rate, secondsLeft })
  }, limits.reportEvery * 1000)
  try {
    return await run()
  } finally {
    clearInterval(timer)
  }
}
