/** What a server presents that is not trusted yet: for comparison with a fingerprint. */
import type { X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'

export type Presented = { certificate: X509Certificate | undefined; body: string }

/** The largest answer that is accepted: certificates are far smaller. */
const mostBytes = 100_000

/** The server's certificate, and what it answers on that connection. Verifies nothing. `timeout`: seconds. */
export function presentedBy(url: string, timeout: number): Promise<Presented> {
  return new Promise((resolve, reject) => {
    const options = {
      rejectUnauthorized: false,
      agent: false as const,
      signal: AbortSignal.timeout(timeout * 1000),
    }
    const sent = request(url, options, response => {
      const certificate = (response.socket as TLSSocket).getPeerX509Certificate()
      let body = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        body += piece
        if (body.length > mostBytes) sent.destroy(new Error(`more than ${mostBytes} bytes`))
      })
      response.on('end', () => resolve({ certificate, body }))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end()
  })
}
