/** HTTP requests over TCP, over TLS with a custom CA, or over a unix socket. */
import { X509Certificate } from 'node:crypto'
import { type ClientRequestArgs, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from 'node:tls'

/** How to verify the server's certificate. */
export type ServerTrust = {
  /** PEM of the only CA to trust; the system's CAs if absent. */
  ca?: string | undefined
  /** The name that the certificate must cover, if not the URL's host; `ca` may then be an intermediate certificate. */
  serverName?: string | undefined
  /** PEM of the certificate that it must be, whatever its dates and issuer. */
  pinned?: string | undefined
}

export type HttpRequest = ServerTrust & {
  /** With `socket`, only its path and query are used. */
  url: string
  method?: 'GET' | 'POST' | 'OPTIONS'
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** Path of the unix socket to connect to. */
  socket?: string
  /**
   * Called with the chunks so far; once it returns true, the response counts as complete and the connection
   * is closed.
   */
  isEnough?: (arrivals: string[]) => boolean
  /** Seconds within which the complete response must arrive. */
  timeout: number
}

/** `arrivals`: the body in chunks, as they were received. */
export type HttpAnswer = {
  status: number
  headers: IncomingMessage['headers']
  body: string
  arrivals: string[]
}

/** TLS options to expect another name than the URL's host (RFC 6066: SNI carries no IP addresses). */
const knownAs = (name: string) => ({
  ...(isIP(name) === 0 ? { servername: name } : {}),
  checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate),
  allowPartialTrustChain: true,
})

/** Connects to the server that has this very certificate. Nothing is sent to any other. */
const pinnedTo = (pinned: string, signal: AbortSignal) => ({
  agent: undefined,
  // Without an agent, Node.js assumes 80.
  defaultPort: 443,
  createConnection(
    { host, port }: ClientRequestArgs,
    done: (error: Error | null, socket: TLSSocket) => void,
  ): undefined {
    const { fingerprint256 } = new X509Certificate(pinned)
    const at = { host: host ?? undefined, port: Number(port), signal }
    const failed = (error: Error) => done(error, socket)
    const socket = connect({ ...at, rejectUnauthorized: false }, () => {
      if (socket.getPeerX509Certificate()?.fingerprint256 !== fingerprint256)
        return socket.destroy(new Error('the server has another certificate than the one in use'))
      socket.off('error', failed)
      done(null, socket)
    })
    socket.on('error', failed)
  },
})

/** Sends a request. Rejects if the connection or TLS verification fails, or the response is not complete in time. */
export function http(wanted: HttpRequest): Promise<HttpAnswer> {
  const url = new URL(wanted.url)
  const body = wanted.json === undefined ? undefined : JSON.stringify(wanted.json)
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  const signal = AbortSignal.timeout(wanted.timeout * 1000)
  const options = {
    method: wanted.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...wanted.headers },
    agent: false as const,
    signal,
    ...(wanted.ca === undefined ? {} : { ca: wanted.ca }),
    ...(wanted.serverName === undefined ? {} : knownAs(wanted.serverName)),
    ...(wanted.pinned === undefined ? {} : pinnedTo(wanted.pinned, signal)),
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

/** Whether a server on a unix socket responds with 200; false if none is listening. */
export async function respondsOk(
  host: { http(request: HttpRequest): Promise<HttpAnswer> },
  url: string,
  socket: string,
): Promise<boolean> {
  try {
    return (await host.http({ url, socket, timeout: 5 })).status === 200
  } catch {
    // Only the caller knows whether that is an error.
    return false
  }
}
