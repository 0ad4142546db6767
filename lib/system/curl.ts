/** One curl request for the rest of a file: arguments, interpretation of the result, and redirect policy. */
import type { Output } from './shell.ts'

export type Transfer = {
  url: string
  /** File to append to: its real path on this machine, `--root` included. */
  output: string
  /** Bytes already downloaded. */
  from: number
  /** Size of the complete file in bytes. */
  size: number
}

/** Minimum transfer rate in bytes per second, and the seconds for which it may be undercut. */
export type Pace = { slowest: number; slowFor: number }

/**
 * curl(1) without configuration file, cookies, credentials or server-chosen file names. It does not follow
 * redirects: `redirectProblem` decides about each.
 */
const curl = ({ slowest, slowFor }: Pace, protocols = '=http,https') => [
  // If this process is killed, curl must not keep writing.
  ...['setpriv', '--pdeathsig=KILL'],
  ...['curl', '--disable', '--silent', '--show-error', '--globoff', '--proto', protocols],
  ...['--connect-timeout', '30', '--speed-limit', String(slowest), '--speed-time', String(slowFor)],
  ...['--write-out', '%{http_code} %{redirect_url} %header{content-length} %header{content-range}'],
]

const isLocal = (url: string) => new URL(url).protocol === 'file:'

/** Requests the rest of the file. Its URL may name a file on a disk of this machine. */
export const curlArguments = ({ url, output, from, size }: Transfer, pace: Pace): string[] => [
  ...curl(pace, isLocal(url) ? '=file' : undefined),
  ...['--fail', '--max-filesize', String(size), '--continue-at', String(from), '--output', output],
  ...['--url', url],
]

/** Finds out where the file is redirected to: with --continue-at, curl mistakes a redirect for a failure to resume. */
export const headArguments = ({ url }: Transfer, pace: Pace): string[] => [
  ...curl(pace),
  ...['--head', '--max-time', '60', '--output', '/dev/null', '--url', url],
]

/** Requests the first bytes of the file, within a minute: a boot waits for them. */
export const startArguments = (
  { url, output, size }: Pick<Transfer, 'url' | 'output' | 'size'>,
  pace: Pace,
): string[] => [
  ...curl(pace),
  ...['--fail', '--max-time', '60', '--range', `0-${size - 1}`, '--output', output, '--url', url],
]

/** The size of the whole file in bytes, if the response states it: of a part, or of all of it. */
export function sizeIn({ stdout }: Pick<Output, 'stdout'>): number | undefined {
  const [status, , length, ...range] = stdout.split(' ')
  const stated = status === '206' ? range.join(' ').match(/^bytes \d+-\d+\/(\d{1,15})$/)?.[1] : length
  return stated !== undefined && /^\d{1,15}$/.test(stated) ? Number(stated) : undefined
}

export type CurlResult =
  /** The server sent its complete response. */
  | { is: 'done' }
  | { is: 'redirect'; to: string }
  /** The server does not support range requests for this file. */
  | { is: 'not resumable' }
  /** The response is not the requested file. */
  | { is: 'wrong file'; reason: string }
  /** `isTransient`: another attempt may succeed. */
  | { is: 'failed'; reason: string; fix: string; isTransient: boolean }

/** curl(1), EXIT CODES. */
const exits = {
  unresolved: 6,
  unconnected: 7,
  httpError: 22,
  writeError: 23,
  timeout: 28,
  rangeError: 33,
  tlsError: 35,
  untrusted: 60,
  tooLarge: 63,
}

/** Exit code after SIGXFSZ (signal(7)), as a shell reports it. */
export const fileSizeExceeded = 128 + 25

/** Whether the bytes written may belong to the file, unlike an error page. Without a status, curl was killed. */
export const hasContent = ({ stdout }: Output, url: string): boolean =>
  isLocal(url) || ['', '200', '206'].includes(stdout.slice(0, 3))

/** The result of a transfer, from curl's exit code and output. */
export function resultOf(
  { exitCode: code, stdout, stderr }: Output,
  { url, from, size }: Transfer,
): CurlResult {
  const host = new URL(url).host || 'the disk'
  const [status = '', to = ''] = stdout.split(' ')
  if (code === exits.rangeError || status === '416') return { is: 'not resumable' }
  if (code === 0 && /^3/.test(status)) return { is: 'redirect', to }
  if (code === 0 && (isLocal(url) || status === (from > 0 ? '206' : '200'))) return { is: 'done' }
  if (code === 0) return { is: 'wrong file', reason: `${host} answered ${status} instead of a file` }
  if (code === fileSizeExceeded || code === exits.tooLarge)
    return { is: 'wrong file', reason: `${host} sent more than the file's ${size} bytes` }
  if (code > 128)
    return {
      is: 'failed',
      reason: `curl was killed by signal ${code - 128}`,
      fix: 'Try again.',
      isTransient: false,
    }
  return {
    is: 'failed',
    reason: reasonFrom(stderr, code, host),
    fix: fixFor(code, status, host),
    isTransient: isTransient(code, status, stderr),
  }
}

/** curl's own message, e.g. `could not resolve host: mirror.example.com`. */
export function reasonFrom(stderr: string, code: number, host: string): string {
  const message = stderr
    .match(/^curl: \(\d+\) (.+)$/m)?.[1]
    ?.trim()
    .replace(/\.$/, '')
  if (message === undefined) return `curl exited with code ${code}`
  const isSentence = /^[A-Z][a-z]/.test(message)
  const reason = isSentence ? message.charAt(0).toLowerCase() + message.slice(1) : message
  return reason.includes(host.replace(/:\d+$/, '')) ? reason : `${host}: ${reason}`
}

function fixFor(code: number, status: string, host: string): string {
  if (code === exits.unresolved) return "Check the URL, and this machine's DNS servers."
  if (code === exits.httpError && /^4/.test(status)) return 'Check the URL.'
  if (code === exits.writeError) return 'Check the disk.'
  if (code === exits.tlsError || code === exits.untrusted)
    return `Check the certificate of ${host}, and this machine's clock.`
  return `Check the network between this machine and ${host}.`
}

/** Whether the failure may go away by itself. */
function isTransient(code: number, status: string, stderr: string): boolean {
  if (code === exits.httpError) return /^(408|429|5..)$/.test(status)
  if (code === exits.timeout) return !stderr.includes('too slow')
  return ![exits.unresolved, exits.writeError, exits.untrusted].includes(code)
}

const maxRedirects = 5

/** Why a redirect must not be followed; undefined if it may be. `followed`: redirects followed so far. */
export function redirectProblem(from: string, to: string, followed: number): string | undefined {
  const [source, target] = [new URL(from), URL.parse(to)]
  const refused = (what: string) => `${source.host} redirects ${what}, which is not allowed`
  if (target === null) return refused('to an invalid URL')
  const { protocol, hostname } = target
  if (protocol !== 'https:' && protocol !== 'http:') return refused(`to a URL with the scheme ${protocol}`)
  if (target.username !== '' || target.password !== '') return refused('with credentials')
  if (protocol === 'http:' && source.protocol === 'https:') return refused('from https to http')
  if (protocol === 'http:' && hostname !== source.hostname) return refused('to another host over http')
  if (followed >= maxRedirects) return refused(`more than ${maxRedirects} times`)
  return undefined
}
