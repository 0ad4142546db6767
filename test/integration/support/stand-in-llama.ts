/** A stand-in for llama-server: an HTTP server, controlled by the test, on the socket that the proxies connect to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Edge } from './stack.ts'

export type StandIn = { stop(): Promise<void> }

type StandInHandler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void

/** Starts it; the handler is called once a request's body has been read. */
export async function startStandIn(
  { socket }: Pick<Edge, 'socket'>,
  handler: StandInHandler,
): Promise<StandIn> {
  const server = createServer(async (request, response) => handler(request, response, await buffer(request)))
  await new Promise<void>(resolve => server.listen(socket, resolve))
  return {
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
