/** A file server with adjustable speed that disconnects on demand and records its requests. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** `path`: as requested; `from`: the first byte of the requested range, or 0. */
export type RangeRequest = { path: string; from: number }

export type SlowServer = {
  url: string
  port: number
  asked: RangeRequest[]
  /** Bytes sent so far, of all files. */
  sent(): number
  /** Sets the speed of each connection in bytes per second; after `until` bytes in total, it drops to a trickle. */
  setSpeed(bytesPerSecond: number, until?: number): void
  /** Closes all connections, in the middle of a response. */
  hangUp(): void
  close(): Promise<void>
}

/** Bytes per second: just fast enough that the client does not give up. */
const trickle = 15_000
const pieces = 20

/** Serves files by path, e.g. `/models/a.gguf`, on the loopback address, with range requests (RFC 9110, 14). */
export async function startSlowServer(
  files: Record<string, Buffer>,
  bytesPerSecond = Number.POSITIVE_INFINITY,
): Promise<SlowServer> {
  const asked: RangeRequest[] = []
  let speed = bytesPerSecond
  let end = Number.POSITIVE_INFINITY
  let sent = 0

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const path = request.url ?? ''
    const file = files[path]
    const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '')
    const from = Number(range?.[1] ?? 0)
    const isQuestion = request.method === 'HEAD'
    if (!isQuestion) asked.push({ path, from })
    if (file === undefined) {
      response.writeHead(404).end()
      return
    }
    const to = Math.min(range?.[2] ? Number(range[2]) : file.length, file.length - 1)
    response.writeHead(range === null ? 200 : 206, {
      'accept-ranges': 'bytes',
      'content-length': to - from + 1,
      ...(range && { 'content-range': `bytes ${from}-${to}/${file.length}` }),
    })
    for (let at = from; !isQuestion && at <= to && !response.destroyed; ) {
      const now = sent < end ? speed : trickle
      const piece = file.subarray(at, Math.min(to + 1, at + Math.min(now / pieces, 1 << 20)))
      at += piece.length
      sent += piece.length
      // The callback also runs if the connection is gone.
      await new Promise(written => response.write(piece, written))
      if (now < Number.POSITIVE_INFINITY) await setTimeout(1000 / pieces)
    }
    response.end()
  }

  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    sent: () => sent,
    setSpeed: (bytes, until = Number.POSITIVE_INFINITY) => {
      speed = bytes
      end = until
    },
    hangUp: () => server.closeAllConnections(),
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
