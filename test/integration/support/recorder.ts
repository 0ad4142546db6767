/** An HTTP server between the admission proxy and llama-server that passes everything on, and keeps the answers. */
import { createServer, request as send } from 'node:http'

/** Listens on one socket, and passes on to the other. `record`: called with each answer to a POST request. */
export async function startRecorder(socket: string, to: string, record: (answer: string) => void) {
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    const passed = send({ socketPath: to, method, path: url, headers }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
      if (method !== 'POST') return
      const pieces: Buffer[] = []
      answer.on('data', piece => pieces.push(piece))
      // Also if the client, having read the last event, closes the connection before its end.
      answer.on('close', () => record(Buffer.concat(pieces).toString()))
    })
    passed.on('error', () => response.destroy())
    response.on('close', () => passed.destroy())
    request.pipe(passed)
  })
  await new Promise<void>(resolve => server.listen(socket, resolve))
  return {
    stop: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
