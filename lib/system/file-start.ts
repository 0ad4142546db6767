/** The start of a file on a web server, and the size of the whole, without downloading the rest. */
import { statSync } from 'node:fs'
import {
  fileSizeExceeded,
  headArguments,
  type Pace,
  redirectProblem,
  resultOf,
  sizeIn,
  startArguments,
} from './curl.ts'
import type { Host } from './host.ts'

/** `output`: a path of this machine; `length`: how many bytes at most. */
export type WantedStart = { url: string; output: string; length: number }

const pace: Pace = { slowest: 10_000, slowFor: 60 }

/** Follows redirects as `download` does. Returns the size of the whole file in bytes. Throws if the transfer fails. */
export async function fetchStart(host: Pick<Host, 'query'>, wanted: WantedStart): Promise<number> {
  let { url } = wanted
  for (let followed = 0; ; followed += 1) {
    const found = await requestStart(host, { ...wanted, url })
    if (typeof found === 'number') return found
    const problem = redirectProblem(url, found.to, followed)
    if (problem !== undefined) throw new Error(`Download failed: ${problem}. Check the URL.`)
    url = found.to
  }
}

/** The size of the whole file, or the redirect that came in place of it. */
async function requestStart(
  { query }: Pick<Host, 'query'>,
  { url, output, length }: WantedStart,
): Promise<number | { to: string }> {
  const transfer = { url, output, size: length }
  // prlimit stops a server that ignores the range.
  const answer = await query`prlimit --fsize=${length} --core=0 ${startArguments(transfer, pace)}`.nothrow()
  const isDone = answer.exitCode === 0
  if (isDone && answer.stdout.startsWith('200 ')) return statSync(output).size
  if (isDone && answer.stdout.startsWith('206 ')) return stated(sizeIn(answer), url)
  if (answer.exitCode === fileSizeExceeded) {
    const head = await query`${headArguments({ ...transfer, from: 0 }, pace)}`.nothrow()
    return stated(head.stdout.startsWith('200 ') ? sizeIn(head) : undefined, url)
  }
  const result = resultOf(answer, { ...transfer, from: 0 })
  if (result.is === 'redirect') return result
  const [reason, fix] =
    result.is === 'failed'
      ? [result.reason, result.fix]
      : [result.is === 'wrong file' ? result.reason : `${new URL(url).host} cannot send it`, 'Check the URL.']
  throw new Error(`Download failed: ${reason}. ${fix}`)
}

function stated(size: number | undefined, url: string): number {
  if (size !== undefined) return size
  throw new Error(`Download failed: ${new URL(url).host} does not state the file's size. Use another server.`)
}
