/** Free TCP ports on this machine. */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below the range of outgoing connections, one of which might take the port before it is used. */
const range = [20_000, 32_000] as const

/** The preferred port if it is free, otherwise any free one. */
export async function freePort(wish?: number): Promise<number> {
  if (wish && (await isFree(wish))) return wish
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(...range)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port on 127.0.0.1 among 100 of ${range.join(' to ')}`)
}

const isFree = (port: number): Promise<boolean> => {
  const server = createServer()
  return new Promise(resolve => {
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
