/** TCP ports of this machine for a VM's services. */
import { createServer } from 'node:net'

/** The wished port if nobody listens there, else any free one. */
export const freePort = async (wish?: number): Promise<number> =>
  (wish && (await listen(wish))) ||
  (await listen(0)) ||
  Promise.reject(new Error('no free port on 127.0.0.1'))

/** The port it could listen on for a moment; undefined when it is taken. */
function listen(port: number): Promise<number | undefined> {
  const server = createServer()
  return new Promise(resolve => {
    server.on('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined))
    })
  })
}
