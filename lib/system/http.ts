/** HTTP requests over TCP, over TLS with a custom CA, or over a unix socket. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'

export type HttpRequest = {
  /** With `socket`, only its path and query count. */
  url: string
  method?: 'GET' | 'POST' | 'OPTIONS'
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** PEM of the CA that alone is trusted; the system's where it is not given. */
  ca?: string | undefined
  /** The name that the server's certificate must be for, where the URL says another; `ca` may then end below a root. */
  serverName?: string | undefined
  /** Path of a unix socket to speak to. */
  socket?: string
  /** Whether the pieces that have come are enough: the answer is then taken as it is, and the connection closed. */
  isEnough?: (arrivals: string[]) => boolean
  /** Seconds until the whole answer must be there. */
  timeout: number
}

/** `arrivals`: the body's pieces, each as it came off the connection. */
export type HttpAnswer = {
  status: number
  headers: IncomingMessage['headers']
  body: string
  arrivals: string[]
}

/** TLS options for a server that is known by another name than its URL's (RFC 6066: no address as a server name). */
const knownAs = (name: string) => ({
  ...(isIP(name) === 0 ? { servername: name } : {}),
  checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate),
  allowPartialTrustChain: true,
})

/** Sends a request. Rejects when there is no connection, no trust, or no whole answer in time. */
export function http(wanted: HttpRequest): Promise<HttpAnswer> {
  const url = new URL(wanted.url)
  const body = wanted.json === undefined ? undefined : JSON.stringify(wanted.json)
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  const options = {
    method: wanted.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...wanted.headers },
    agent: false as const,
    signal: AbortSignal.timeout(wanted.timeout * 1000),
    ...(wanted.ca === undefined ? {} : { ca: wanted.ca }),
    ...(wanted.serverName === undefined ? {} : knownAs(wanted.serverName)),
    ...(wanted.socket === undefined ? {} : { socketPath: wanted.socket }),
  }
  return new Promise((resolve, reject) => {
    const failed = (error: Error) =>
      reject(
        error.name === 'AbortError'
          ? new Error(`no complete answer from ${url.pathname} within ${wanted.timeout} s`)
          : error,
      )
    const sent = send(url, options, response => {
      const arrivals: string[] = []
      response.setEncoding('utf8')
      const arrived = () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: arrivals.join(''),
          arrivals,
        })
      response.on('data', (text: string) => {
        arrivals.push(text)
        if (!wanted.isEnough?.(arrivals)) return
        arrived()
        sent.destroy()
      })
      response.on('error', failed)
      response.on('end', arrived)
    })
    sent.on('error', failed)
    sent.end(body)
  })
}

/** Whether a server on a unix socket answers with 200; false while there is no server, or none yet. */
export async function respondsOk(
  host: { http(request: HttpRequest): Promise<HttpAnswer> },
  url: string,
  socket: string,
): Promise<boolean> {
  try {
    return (await host.http({ url, socket, timeout: 5 })).status === 200
  } catch {
    // Nobody listens. Whether that is an error, only the caller knows.
    return false
  }
}
