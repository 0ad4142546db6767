/** One HTTP request with curl for the rest of a file: its options, its result, and which redirects are allowed. */
import type { Output } from './shell.ts'

export type Transfer = {
  url: string
  /** The machine's own path of the file to append to. */
  output: string
  /** Bytes that are there already. */
  from: number
  /** Bytes that the whole file has. */
  size: number
}

/** Bytes per second that a server must send, and for how many seconds it may send fewer. */
export type Pace = { slowest: number; slowFor: number }

/**
 * curl(1): no configuration file, cookies, credentials, names chosen by the server; redirects are not followed by it,
 * but judged by `redirectProblem`. Metalinks and torrents are bytes like all others to it.
 */
const curl = ({ slowest, slowFor }: Pace) => [
  // Killed, we leave no curl behind that writes on.
  ...['setpriv', '--pdeathsig=KILL'],
  ...['curl', '--disable', '--silent', '--show-error', '--globoff', '--proto', '=http,https'],
  ...['--connect-timeout', '30', '--speed-limit', String(slowest), '--speed-time', String(slowFor)],
  ...['--write-out', '%{http_code} %{redirect_url}'],
]

/** Asks for the rest of the file. */
export const curlArguments = ({ url, output, from, size }: Transfer, pace: Pace): string[] => [
  ...curl(pace),
  ...['--fail', '--max-filesize', String(size), '--continue-at', String(from), '--output', output],
  ...['--url', url],
]

/** Asks for nothing but where the file is: curl takes a redirect for a server that cannot resume. */
export const headArguments = ({ url }: Transfer, pace: Pace): string[] => [
  ...curl(pace),
  ...['--head', '--max-time', '60', '--output', '/dev/null', '--url', url],
]

export type Result =
  /** The whole of what the server had to send. */
  | { is: 'done' }
  | { is: 'redirect'; to: string }
  /** The server does not go on where we were. */
  | { is: 'not resumable' }
  /** What the server has is not the file. */
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

/** What a shell makes of SIGXFSZ: signal(7). */
const fileSizeExceeded = 128 + 25

/** Whether what was written may be of the file: an error page is not. Empty: curl was killed. */
export const hasContent = ({ stdout }: Output): boolean => ['', '200', '206'].includes(stdout.slice(0, 3))

/** What became of a transfer, from curl's exit code, and what it wrote to its outputs. */
export function resultOf({ exitCode: code, stdout, stderr }: Output, { url, from, size }: Transfer): Result {
  const { host } = new URL(url)
  const [status = '', to = ''] = stdout.split(' ')
  if (code === exits.rangeError || status === '416') return { is: 'not resumable' }
  if (code === 0 && /^3/.test(status)) return { is: 'redirect', to }
  if (code === 0 && status === (from > 0 ? '206' : '200')) return { is: 'done' }
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
function reasonFrom(stderr: string, code: number, host: string): string {
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

/** Whether a server, or the network on the way to it, may recover. */
function isTransient(code: number, status: string, stderr: string): boolean {
  if (code === exits.httpError) return /^(408|429|5..)$/.test(status)
  if (code === exits.timeout) return !stderr.includes('too slow')
  return ![exits.unresolved, exits.writeError, exits.untrusted].includes(code)
}

const most = 5

/** Why a redirect is not followed, if it is not. `followed`: how many were on the way. */
export function redirectProblem(from: string, to: string, followed: number): string | undefined {
  const [source, target] = [new URL(from), URL.parse(to)]
  const refused = (what: string) => `${source.host} redirects ${what}, which is not allowed`
  if (target === null) return refused('to an invalid URL')
  const { protocol, hostname } = target
  if (protocol !== 'https:' && protocol !== 'http:') return refused(`to a URL with the scheme ${protocol}`)
  if (target.username !== '' || target.password !== '') return refused('with credentials')
  if (protocol === 'http:' && source.protocol === 'https:') return refused('from https to http')
  if (protocol === 'http:' && hostname !== source.hostname) return refused('to another host over http')
  if (followed >= most) return refused(`more than ${most} times`)
  return undefined
}
