/** Sends a form by HTTP PUT, with curl, whose time limit includes name resolution, and which trusts the system's CAs. */
import { reasonFrom } from './curl.ts'
import type { Host } from './host.ts'

/** `headers` may be secret: curl reads them, with everything else, from its standard input. */
export type FormRequest = {
  url: URL
  headers: Record<string, string>
  fields: Record<string, string>
  /** Seconds. */
  timeout: number
}

/** curl(1), EXIT CODES. */
const timedOut = 28

/** Why the server has not accepted the form, as the end of a sentence; undefined if it has. Never the server's text. */
export async function putForm(host: Pick<Host, '$'>, request: FormRequest): Promise<string | undefined> {
  const input = configuration(request)
  const { exitCode, stdout, stderr } = await host.$({ input })`curl --disable --config -`.nothrow()
  if (exitCode === timedOut) return `no answer within ${request.timeout} s`
  if (exitCode !== 0) return reasonFrom(stderr, exitCode, request.url.host)
  return /^2/.test(stdout) ? undefined : `it answered ${stdout}`
}

/** curl's configuration file (curl(1), --config). */
const configuration = ({ url, headers, fields, timeout }: FormRequest) =>
  [
    'silent',
    'show-error',
    'globoff',
    ...[
      ['proto', '=http,https'],
      ['url', url.href],
      ['request', 'PUT'],
      ['max-time', String(timeout)],
      ['output', '/dev/null'],
      ['write-out', '%{http_code}'],
      ...Object.entries(headers).map(([name, value]) => ['header', `${name}: ${value}`]),
      ...Object.entries(fields).map(([name, value]) => ['data-urlencode', `${name}=${value}`]),
    ].map(([name, value = '']) => `${name} = ${quoted(value)}`),
  ].join('\n')

const escapes: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

const quoted = (value: string) => `"${value.replace(/[\\"\n\r\t]/g, found => escapes[found] ?? found)}"`
