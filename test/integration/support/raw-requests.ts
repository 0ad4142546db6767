/** Requests as raw bytes that no HTTP client would send, and the responses to them. */
import { connect } from 'node:tls'
import type { Edge } from './stack.ts'

export type RawResponse = { status: number; headers: Record<string, string>; body: string }

/** Decodes chunks (RFC 9112, 7.1): returns their content, and what follows them. */
function unchunked(text: string): { body: string; rest: string } {
  let body = ''
  let rest = text
  for (;;) {
    const [, size = '', after = ''] = /^([0-9a-f]+)\r\n(.*)$/is.exec(rest) ?? []
    const length = Number.parseInt(size || '0', 16)
    body += after.slice(0, length)
    rest = after.slice(length + 2)
    if (length === 0) return { body, rest }
  }
}

/** Parses the responses that a connection has received. */
export function parseResponses(received: string): RawResponse[] {
  const responses: RawResponse[] = []
  let rest = received
  while (rest.startsWith('HTTP/1.1 ') && rest.includes('\r\n\r\n')) {
    const end = rest.indexOf('\r\n\r\n')
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = Object.fromEntries(
      lines.map(line => {
        const [, name = '', value = ''] = /^([^:]*): *(.*)$/.exec(line) ?? []
        return [name.toLowerCase(), value]
      }),
    )
    const after = rest.slice(end + 4)
    const length = Number(headers['content-length'] ?? 0)
    const { body, rest: further } =
      headers['transfer-encoding'] === 'chunked'
        ? unchunked(after)
        : { body: after.slice(0, length), rest: after.slice(length) }
    responses.push({ status: Number(first.split(' ')[1]), headers, body })
    rest = further
  }
  return responses
}

/** Sends bytes over TLS; resolves with the responses once the connection closes, or after five seconds of silence. */
export const sendRaw = (edge: Edge, bytes: string | Buffer, localAddress = '127.0.0.1') =>
  new Promise<RawResponse[]>(resolve => {
    let received = ''
    const options = { host: '127.0.0.1', port: edge.httpsPort, ca: edge.ca, localAddress }
    const socket = connect(options, () => socket.write(bytes))
    socket.setEncoding('latin1').on('data', text => {
      received += text
    })
    socket.setTimeout(5_000, () => socket.destroy())
    socket.on('error', () => {}).on('close', () => resolve(parseResponses(received)))
  })
